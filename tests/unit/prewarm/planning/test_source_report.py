"""What a run left out of its sources: when it is an alarm, and how it is stored and shown."""

import json
from dataclasses import asdict

import pytest

from prewarm.planning.source_report import LeftOut, SourceReport, left_out_line, mostly_skipped


def report(urls: int, skipped: int, parts: int = 0, parts_skipped: int = 0) -> SourceReport:
    left_out = (LeftOut("a reason", skipped), LeftOut("a filter", 1_000, skipped=False))
    return SourceReport("sitemap[0]", "https://a.b/?token=x", urls, left_out, parts, parts_skipped)


@pytest.mark.parametrize(
    ("each", "alarm"),
    [
        (report(1, 0), False),
        (report(5, 5), False),
        (report(5, 6), True),
        (report(99, 1, 4, 2), False),
        (report(99, 1, 4, 3), True),
    ],
)
def test_more_than_half_skipped_is_an_alarm(each: SourceReport, alarm: bool) -> None:
    assert each.mostly_skipped is alarm
    assert bool(mostly_skipped((each,))) is alarm


def test_report_is_read_back_as_it_was_stored() -> None:
    each = report(5, 6, 2, 1)
    assert SourceReport.from_json(json.loads(json.dumps(asdict(each)))) == each


def test_secrets_are_not_shown() -> None:
    shown = json.dumps(report(1, 1).as_json()) + left_out_line(LeftOut("r", 1, ("https://a.b/?token=x",)))
    assert "token=x" not in shown
