"""Statuses as exit codes and as lines of text."""

from typing import Any

import pytest

from prewarm_cli.output.dry_run import document_lines, dry_run_lines
from prewarm_cli.output.failures import FAILURES_SHOWN, failure_reasons
from prewarm_cli.output.text import exit_code_of, status_lines
from tests.support.statuses import BAD, CAUSES, GOOD, status


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "COMPLETED"}, 0),
        ({"status": "FAILED"}, 1),
        ({"status": "FAILED", "reason": "cancelled"}, 1),
        ({"status": "FAILED", "error": "Prewarm.InvalidRequest"}, 2),
        ({"status": "TIMEOUT"}, 3),
        ({"status": "IN_PROGRESS"}, 3),
    ],
)
def test_exit_code_of_each_status(fields: dict[str, Any], code: int) -> None:
    assert exit_code_of(status(**fields)) == code


def test_failure_reasons_explain_outcomes() -> None:
    reasons = failure_reasons(status()["failures"][0])
    assert "server_error at 3 targets (the origin answered with a 5xx" in reasons
    assert "timeout at 1 target (no complete response in time)" in reasons
    assert "(the service's own)" in failure_reasons(status()["failures"][0], {"timeout": "the service's own"})
    assert failure_reasons({"reasons": {"new_one": 1}}) == "new_one at 1 target"
    assert failure_reasons({}) == "not warm"


def test_status_lines_need_only_the_contracts_fields() -> None:
    names = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")
    bare = {name: status()[name] for name in names}
    assert list(status_lines(bare))[1:] == [f"failed   {BAD}", "         not warm"]


def test_status_lines_name_the_page_and_the_estimate() -> None:
    cost = {"dollars": 0.02, "estimate": {"dollars": 0.01, "withoutTransfer": True, "measuredDollars": 0.011}}
    lines = list(status_lines(status(cost=cost), page="https://api.example.com/v1/#/run/the-run"))
    assert "page     https://api.example.com/v1/#/run/the-run" in lines
    expected = "about $0.0200 ($0.0110 apart from transfer, estimated at $0.0100 before it began)"
    assert expected in lines


def test_status_lines_show_optional_fields() -> None:
    more: dict[str, Any] = {
        "startedAt": "2026-11-24T01:38:29Z",
        "endedAt": "2026-11-24T01:38:59.5Z",
        "bytes": 2_500_000,
        "cost": {"dollars": 0.0123},
        "remedy": {"kind": "retry", "how": "POST /retry starts a new run of what failed"},
        "skippedText": "2 of the 9 selected POPs were skipped",
        "skippedPops": [{"pop": "A", "reason": "unresolved_pop"}, {"pop": "B", "reason": "unresolved_pop"}],
        "warnings": ["mind the gap"],
    }
    output = "\n".join(status_lines(status(**more)))
    for part in (
        "2.5 MB",
        "$0.0123",
        "remedy   `prewarm retry the-run` starts a new run of the URLs that are not warm",
        "skipped  2 of the 9 selected POPs were skipped\n         2 POPs: the POP's name does not resolve",
        "so the POP may be retired (A, B)",
        "warning  mind the gap",
        "2026-11-24 01:38:29 UTC",
        "FAILED after 30 s: 1 of 2 URLs warm",
    ):
        assert part in output


@pytest.mark.parametrize(
    ("kind", "remedy_text"),
    [
        ("retry", "run the command again"),
        ("redrive", "fix the cause above, then run the command again"),
        ("fix", "fix the cause above, then run the command again"),
    ],
)
def test_status_lines_of_an_ended_service_suggest_no_api_call(kind: str, remedy_text: str) -> None:
    remedy = {"kind": kind, "how": "POST /retry or `aws stepfunctions redrive-execution`"}
    urls = [f"{GOOD}?{number}" for number in range(FAILURES_SHOWN + 1)]
    lines = list(status_lines(status(remedy=remedy, failedUrl=urls, failures=[]), service_stays=False))
    assert lines[-2:] == ["failed   and 1 more: use --report FILE", f"remedy   {remedy_text}"]
    assert [line for line in status_lines(status(), service_stays=False) if line.startswith("remedy")] == []


def test_status_lines_show_the_first_of_many_failures() -> None:
    urls = [f"{GOOD}?{number}" for number in range(FAILURES_SHOWN + 5)]
    lines = list(status_lines(status(failedUrl=urls, failures=[])))
    assert lines[-1] == "failed   and 5 more: prewarm report the-run --format csv"
    assert len(lines) == 2 * FAILURES_SHOWN + 2
    assert "for the complete list" in list(status_lines(status(nextToken="x")))[-1]


@pytest.mark.parametrize(("error", "cause", "text"), CAUSES)
def test_status_lines_show_error_and_cause(error: str, cause: str, text: str) -> None:
    assert f"cause    {text}" in list(status_lines(status(error=error, cause=cause)))


@pytest.mark.parametrize("error", ["Prewarm.NotWarm", "Prewarm.DeadlinePassed", "", None])
def test_status_lines_omit_a_cause_that_the_urls_explain(error: str | None) -> None:
    ended = status(error=error, cause="1 of 2 URLs are not warm")
    assert [line for line in status_lines(ended) if line.startswith("cause")] == []


def test_mostly_skipped_source_is_the_first_line() -> None:
    left_out = [{"reason": "excluded by exclude", "count": 1, "skipped": False, "examples": ["https://a.b/c"]}]
    status = {
        "status": "FAILED",
        "completed": 1,
        "total": 1,
        "inProgress": 0,
        "successUrl": ["https://www.example.com/1"],
        "failedUrl": [],
        "mostlySkipped": "sitemap[0]: 2 of 3 entries cannot be warmed",
        "sources": [{"source": "sitemap[0]", "leftOut": left_out}],
    }
    lines = list(status_lines(status))
    assert lines[0] == "sitemap[0]: 2 of 3 entries cannot be warmed"
    assert "left out sitemap[0]: 1 entry: excluded by exclude (such as https://a.b/c)" in lines


def test_documents_are_shown_with_x_cache_and_age() -> None:
    url = "https://www.example.com/s.xml"
    documents = [
        {"url": url, "xCache": "Hit from cloudfront", "age": 3_600, "origin": "cache"},
        {"url": url, "xCache": "Miss from cloudfront", "age": None, "origin": "invalidated"},
        {"url": "s3://bucket/s.xml", "xCache": "", "age": None, "origin": "s3"},
    ]
    source = {
        "source": "sitemap[0]",
        "leftOut": [],
        "documents": documents,
        "documentsRead": 3,
        "documentsFromCache": 1,
    }
    assert list(document_lines([source])) == [
        f"read     sitemap[0]: {url} (X-Cache: Hit from cloudfront, Age: 3600 s)",
        f"read     sitemap[0]: {url} (X-Cache: Miss from cloudfront, invalidated before)",
        "read     sitemap[0]: s3://bucket/s.xml (from S3)",
    ]
    many = source | {"documents": documents[:1] * 500, "documentsRead": 2_000}
    lines = list(document_lines([many]))
    assert lines[-1] == "read     sitemap[0]: 1,980 more; 1 document in all came from a cache"
    assert len(lines) == 21


def test_failed_url_has_its_fetched_form_and_duplicates_are_counted() -> None:
    lines = list(status_lines(status(fetched={BAD: "https://www.example.com/%5E"}, duplicates=1)))
    assert f"failed   {BAD} (fetched as https://www.example.com/%5E)" in lines
    assert "note     1 duplicate left out: another spelling of a URL of the run" in lines


def test_status_lines_name_plain_copies_and_what_proofs_show() -> None:
    targets = {"total": 9, "done": 9, "verified": 4, "verifiedElsewhere": 3, "addresses": 8, "addressesProven": 5}
    uncompressed = [{"url": GOOD, "pops": 2, "examples": ["ATL56-C1", "NRT57-P3"]}]
    lines = list(status_lines(status(targets=targets, uncompressed=uncompressed, uncompressedUrls=1)))
    proof = (
        "4 targets verified by a second fetch, 3 found at another address of the POP; 5 of 8 addresses have a proof"
    )
    assert f"proofs   {proof}" in lines
    assert f"plain    {GOOD} was served uncompressed at 2 POPs" in lines
    older = list(status_lines(status(targets={"total": 9, "done": 9, "verified": 4})))
    assert not any(line.startswith(("proofs", "plain")) for line in older)


@pytest.mark.parametrize(
    ("estimate", "line"),
    [
        ({"fetches": 1, "direct": 0}, "about 1 fetch at an origin"),
        ({"fetches": 30, "direct": 20}, "about 30 fetches at an origin, 20 of them past the regional edge caches"),
    ],
)
def test_dry_run_lines_say_how_often_the_origin_is_asked(estimate: dict[str, int], line: str) -> None:
    dry_run = {
        "urls": 1,
        "hosts": 1,
        "targets": 1,
        "batches": 1,
        "stages": 1,
        "fetches": 2,
        "distributions": [],
        "noDistribution": {"urls": 0, "hosts": []},
        "invalidation": {"paths": 0},
        "cost": {"dollars": 0.1},
        "warnings": [],
        "originFetches": estimate,
    }
    assert line in list(dry_run_lines(dry_run))


@pytest.mark.parametrize("absent", [{}, {"gain": None}, {"gain": {"pairs": 0}}, {"gain": "much"}])
def test_gain_is_one_line_and_absent_where_the_service_returns_none(absent: dict[str, Any]) -> None:
    text = "First viewers were spared a median of 182 ms (p95 400 ms) at 1,240 targets; 12 % were warm before."
    assert f"gain     {text}" in list(status_lines(status(gain={"text": text})))
    assert not any(line.startswith("gain") for line in status_lines(status(**absent)))
