"""A run's report as CSV."""

import csv
import io

from aggregate.report import as_csv


def test_csv_report_quotes_commas_quotes_and_newlines() -> None:
    url = 'https://www.example.com/a,"b"\n'
    line = {"url": url, "verdict": "failed", "warm": 0, "reachable": 1, "coverage": 0.0, "reasons": {"lost": 1}}
    (row,) = csv.DictReader(io.StringIO(as_csv({"urls": [line]}).decode(), newline=""))
    assert row["url"] == url
