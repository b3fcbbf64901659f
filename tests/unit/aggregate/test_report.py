"""A run's report: CSV, and the URLs that are fetched in another form than they were given in."""

import csv
import io
from typing import Any

from aggregate.report import as_csv, as_json, build_report
from aggregate.report_html import page
from aggregate.report_tables import documents as documents_table
from aggregate.run_stats import measured_sums
from aggregate.summary import summarise
from prewarm.catalogue import catalogue
from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.encodings import pack
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import roll_up
from prewarm.results.stats import measure
from tests.support.builders import plan


def test_csv_report_quotes_commas_quotes_and_newlines() -> None:
    url = 'https://www.example.com/a,"b"\n'
    line = {"url": url, "verdict": "failed", "warm": 0, "reachable": 1, "coverage": 0.0, "reasons": {"lost": 1}}
    (row,) = csv.DictReader(io.StringIO(as_csv({"urls": [line]}).decode(), newline=""))
    assert row["url"] == url


GIVEN = ["https://www.example.com/^a", "https://www.example.com/b", "https://www.example.com/c?token=^secret"]
FETCHED = {0: "https://www.example.com/%5Ea", 2: "https://www.example.com/c?token=%5Esecret"}


def reported() -> dict[str, Any]:
    """Return the report of a run of three URLs, the first of which failed."""
    group = Group("d111.cloudfront.net", "E1", 0, 3, ("ATL56-C1",), 1)
    whole = plan(groups=(group,), url_count=3, targets=3, duplicates=4, respelled=2)
    ledger = [
        BatchResult(
            "1-000000", 0, 0, 0, 3, 1, finished=True, done=3, outcomes={}, verified=1, bytes=7,
            failed={0: {"timeout": 1}},
        )
    ]  # fmt: skip
    rolled_up = roll_up(whole, ledger)
    summary = summarise(whole, rolled_up, GIVEN, 1010.5, Outcome.LOST, FETCHED)
    summary |= measured_sums(whole, measure(whole, ledger), 1.0, catalogue())
    return build_report(summary, rolled_up, GIVEN, FETCHED)


def test_every_form_of_the_report_has_given_and_fetched_forms() -> None:
    report = reported()
    assert [(line["url"], line.get("fetched")) for line in report["urls"]] == [
        (GIVEN[0], FETCHED[0]),
        (GIVEN[1], None),
        ("https://www.example.com/c?token=…", "https://www.example.com/c?token=…"),
    ]
    assert [(entry["url"], entry["fetched"]) for entry in report["failures"]] == [(GIVEN[0], FETCHED[0])]
    assert report["duplicates"] == 4
    rows = list(csv.DictReader(io.StringIO(as_csv(report).decode(), newline="")))
    assert [row["fetched"] for row in rows] == [FETCHED[0], "", "https://www.example.com/c?token=…"]
    html = page(report, catalogue()).decode()
    assert f"{GIVEN[0]} (fetched as {FETCHED[0]})" in html
    assert "Fetched in the form that browsers send" in html
    assert "4 entries were left out" in html
    assert "secret" not in html + as_csv(report).decode() + as_json(report).decode()


def test_page_has_percentiles_and_a_histogram_of_the_time_to_first_byte() -> None:
    bars = [{"fromMs": 0, "toMs": 1, "count": 3}, {"fromMs": 1, "toMs": 2, "count": 6}]
    times = {"timeToFirstByteMs": {"p50": 1.2, "p90": 1.7, "p99": 2.0}, "timesToFirstByte": bars}
    html = page(reported() | times, catalogue()).decode()
    for text in ("First byte, 90 % within", "1 to 2 ms", 'rect width="50.0"', 'rect width="100.0"'):
        assert text in html
    before = reported() | {"timeToFirstByteMs": None}
    del before["timesToFirstByte"]
    assert "1 to 2 ms" not in page(before, catalogue()).decode()


def test_page_shows_the_documents_of_the_sources_with_their_age() -> None:
    documents = [{"url": "https://www.example.com/<s>.xml", "xCache": "Hit from cloudfront", "age": 3_600,
                  "origin": "cache"}]  # fmt: skip
    html = "".join(documents_table([{"source": "sitemap[0]", "documents": documents, "documentsRead": 3}]))
    assert "Hit from cloudfront</td><td" in html
    assert "3,600 s" in html
    assert "a cache: it may be older than the site" in html
    assert "https://www.example.com/&lt;s&gt;.xml" in html
    assert "and 2 more" in html
    # A summary of an earlier version has no documents.
    assert "".join(documents_table([{"source": "sitemap[0]"}])) == ""


def test_every_form_of_the_report_names_plain_copies_and_what_proofs_show() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 2, ("ATL56-C1", "NRT57-P3"), 2)
    whole, urls = plan(groups=(group,), url_count=2, targets=4), ["https://www.example.com/a?token=x", GIVEN[1]]
    ledger = [
        BatchResult(
            "1-000000", 0, 0, 0, 2, 2, finished=True, done=4, outcomes={"warmed": 4}, verified=3, bytes=7,
            verified_elsewhere=2, servers="3/4;1/2s", uncompressed=pack({0: 0b11}), per_pop="2 2 2 7 4 2;2 2 2 7 4 2",
        )
    ]  # fmt: skip
    rolled_up = roll_up(whole, ledger)
    summary = summarise(whole, rolled_up, urls, 1010.5, Outcome.LOST)
    summary |= measured_sums(whole, measure(whole, ledger), 1.0, catalogue())
    report = build_report(summary, rolled_up, urls)
    assert [line.get("uncompressed") for line in report["urls"]] == [2, None]
    assert (report["verifiedElsewhere"], report["addresses"], report["addressesProven"]) == (2, 6, 3)
    rows = list(csv.DictReader(io.StringIO(as_csv(report).decode(), newline="")))
    assert [row["uncompressed"] for row in rows] == ["2", ""]
    html = page(report, catalogue()).decode()
    assert "1 served uncompressed" in html
    assert "ATL56-C1, NRT57-P3" in html
    assert "3 of 6" in html
    assert "<dt>Found at another address of the POP</dt><dd>2</dd>" in html
    assert "<dt>Confirmed by Server-Timing as the POP&#x27;s own copy</dt><dd>0</dd>" in html
    assert "token=x" not in html + as_json(report).decode()
    assert any("NRT57-P3, have separate caches" in warning for warning in report["warnings"])
