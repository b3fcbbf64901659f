"""Outcomes of targets: all that the simulated edge can cause, over HTTP/2 and over HTTP/1.1."""

from dataclasses import dataclass
from typing import Any

import pytest

import warm.worker
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import (
    DARK,
    EXPIRED,
    IMPOSTOR,
    OLD,
    RETIRED,
    SYDNEY,
    TOKYO,
    WRONG_NAME,
    Machine,
    an_account,
    document,
    records,
)

NEW = SYDNEY[0]
FIELDS = {
    *("url", "pop", "variant", "outcome", "detail", "status", "x_cache", "cf_pop", "cf_id", "age", "etag", "address"),
    *("bytes", "ttfb_ms", "total_ms", "tries", "verified", "encoding", "layer"),
}


@dataclass(frozen=True)
class Case:
    """An object's fault and the outcome of its targets; `detail` is a part of the record's."""

    outcome: str
    fault: str | None = None
    times: int | None = None
    stored: dict[str, Any] | None = None
    tries: int = 1
    detail: str = ""
    status: int = 200


CASES = {
    "plain": Case("warmed", tries=2),
    "empty": Case("warmed", stored={"size": 0}, tries=2),
    "not found": Case("client_error", stored={"status": 404}, status=404, detail="status 404"),
    "gone": Case("client_error", stored={"status": 410}, status=410),
    "the origin's own 403": Case("client_error", stored={"status": 403}, status=403),
    "blocked by the edge": Case("blocked", "waf_block", status=403),
    "redirect of the origin": Case("redirect", stored={"status": 302, "headers": {"Location": "/x"}}, status=302),
    "redirect of the edge": Case("redirect", "redirect", status=301, detail="X-Cache: Redirect from cloudfront"),
    "503 for a moment": Case("warmed", "status:503", times=1, tries=3),
    "500 always": Case("server_error", "status:500", status=500, tries=3),
    "origin refused": Case("server_error", "refused", status=502, tries=3),
    "limit exceeded": Case("limited", "limit:429", status=429, tries=3, detail="LimitExceeded"),
    "limit with status 200": Case("limited", "limit:200", tries=3, detail="LimitExceeded"),
    "never stored": Case("unproven", stored={"headers": {"Cache-Control": "no-store"}}, tries=4, detail="no-store"),
    "private": Case("unproven", stored={"headers": {"Cache-Control": "private"}}, tries=4, detail="4 fetches"),
    "stale at once": Case(
        "unproven", stored={"headers": {"Cache-Control": "max-age=0"}}, tries=4, detail="max-age=0"
    ),
    "response of another POP": Case("wrong_pop", "lie_pop:DFW55-C1", detail="DFW55-C1"),
    "truncated body": Case("truncated", "truncated", stored={"size": 9000}, tries=3),
    "truncated in chunks": Case("truncated", "chunked_cut", stored={"size": 9000}, tries=3),
    "chunked and complete": Case("warmed", stored={"size": 90_000, "chunked": True}, tries=3),  # plain: asked again
    "too large": Case("too_large", stored={"size": 200_000}),
    "too large in chunks": Case("too_large", stored={"size": 2_000_000, "chunked": True}),
    "no response": Case("timeout", "no_answer", tries=3, status=0),
}


@dataclass(frozen=True)
class Seen:
    """The run's records by case and POP, its summary, and the URL of each case."""

    records: dict[tuple[str, str], dict[str, Any]]
    summary: dict[str, Any]
    urls: dict[str, str]


@pytest.fixture(scope="module")
def seen(edge: SimulatedCloudFront) -> Seen:
    """One run over all cases, through a POP with HTTP/2 and one without."""
    urls = dict(zip(CASES, fresh(len(CASES)), strict=True))
    for name, case in CASES.items():
        if case.stored is not None:
            edge.put_object(path_of(urls[name]), {"size": 500} | case.stored)
        if case.fault is not None:
            edge.fault(path_of(urls[name]), case.fault, times=case.times and 2 * case.times)
    with an_account(edge) as account:
        ran = Machine(account.storage).run(
            {
                "url_list": list(urls.values()),
                "region_type": "pop",
                "region": [NEW, OLD],
                "max_bytes": 100_000,
                "verify": "all",
            }
        )
        names = {url: name for name, url in urls.items()}
        recorded = {(names[record["url"]], record["pop"]): record for record in records(ran.name)}
        summary = document(ran.name, "summary.json")
    return Seen(recorded, summary, urls)


@pytest.mark.parametrize("pop", [NEW, OLD], ids=["h2", "h1"])
@pytest.mark.parametrize("name", CASES)
def test_target_has_the_expected_outcome_and_tries(seen: Seen, name: str, pop: str) -> None:
    case, record = CASES[name], seen.records[name, pop]
    assert (record["outcome"], record["tries"], record["status"]) == (case.outcome, case.tries, case.status), record
    assert case.detail in record["detail"]
    assert record["verified"] == (case.outcome == "warmed")


def test_every_target_has_one_record_with_all_fields(seen: Seen) -> None:
    assert set(seen.records) == {(name, pop) for name in CASES for pop in (NEW, OLD)}
    assert {frozenset(record) for record in seen.records.values()} == {frozenset(FIELDS)}


def test_record_of_a_warm_target_has_the_edges_headers(seen: Seen, edge: SimulatedCloudFront) -> None:
    record = seen.records["plain", NEW]
    assert record["cf_pop"] == NEW
    assert record["address"] in edge.addresses[NEW]
    assert record["variant"] == "br, gzip"
    assert record["bytes"] == 500
    assert record["x_cache"] == "Miss from cloudfront"
    assert len(record["cf_id"]) > 20
    assert record["etag"].startswith('"')
    assert 0 < record["ttfb_ms"] <= record["total_ms"] < 10_000


def test_encoding_that_was_not_requested_is_unproven(machine: Machine, edge: SimulatedCloudFront) -> None:
    (url,) = fresh()
    edge.put_object(path_of(url), {"size": 500, "content_type": "text/html"})
    edge.fault(path_of(url), "wrong_encoding")
    ran = machine.run({"url_list": [url], "region_type": "pop", "region": [NEW, OLD], "accept_encodings": ["br"]})
    assert {(record["outcome"], record["encoding"]) for record in records(ran.name)} == {("unproven", "gzip")}
    assert all("gzip, which was not requested" in record["detail"] for record in records(ran.name))


def test_truncated_body_is_recorded_with_the_received_bytes(seen: Seen) -> None:
    for name in ("truncated body", "truncated in chunks"):
        for pop in (NEW, OLD):
            assert seen.records[name, pop]["bytes"] < 9000


def test_silent_edge_times_out_after_the_setting(seen: Seen) -> None:
    for pop in (NEW, OLD):
        # The last try is made with less patience, since the POP may have fallen silent.
        assert 1000 <= seen.records["no response", pop]["total_ms"] < 8000


def test_stalled_body_is_a_timeout_with_the_received_bytes(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm.worker, "TRIES", 1)
    (url,) = fresh()
    edge.put_object(path_of(url), {"size": 9000})
    edge.fault(path_of(url), "stall")
    ran = machine.run({"url_list": [url], "region_type": "pop", "region": [NEW, OLD]})
    for record in records(ran.name):
        assert (record["outcome"], record["status"], record["bytes"]) == ("timeout", 200, 4500)
        # libcurl's speed is an average over five seconds, so it detects silence later than the setting.
        assert 2000 <= record["total_ms"] < 20_000


def test_too_large_body_is_not_fetched_completely(seen: Seen) -> None:
    for pop in (NEW, OLD):
        assert seen.records["too large", pop]["bytes"] <= 100_000
        assert seen.records["too large in chunks", pop]["bytes"] < 1_000_000


def test_only_warm_targets_have_a_copy_at_the_edge(seen: Seen, edge: SimulatedCloudFront) -> None:
    """A viewer that leaves before the end, as a worker does at `max_bytes`, leaves no copy."""
    kept = edge.copies()
    for (name, pop), record in seen.records.items():
        has_copy = any(path == path_of(seen.urls[name]) for path, _ in kept[pop])
        assert has_copy or record["outcome"] != "warmed", (name, pop)
        assert not (has_copy and record["outcome"] in {"too_large", "truncated", "timeout"}), (name, pop)


def test_summary_counts_the_outcomes_of_the_records(seen: Seen) -> None:
    counted: dict[str, int] = {}
    for case in CASES.values():
        counted[case.outcome] = counted.get(case.outcome, 0) + 2
    assert seen.summary["outcomes"] == counted
    failed = {entry["url"]: entry["reasons"] for entry in seen.summary["failures"]}
    assert failed == {seen.urls[name]: {case.outcome: 2} for name, case in CASES.items() if case.outcome != "warmed"}


def test_second_run_is_already_warm(machine: Machine) -> None:
    request = {"url_list": fresh(3), "region_type": "pop", "region": [NEW, OLD], "verify": "all"}
    assert {record["outcome"] for record in records(machine.run(request).name)} == {"warmed"}
    again = records(machine.run(request).name)
    assert {(record["outcome"], record["verified"], record["tries"]) for record in again} == {
        ("already_warm", True, 2)
    }
    assert all(record["age"].isdigit() for record in again)


@pytest.mark.parametrize(
    ("pop", "outcome", "tries"),
    [
        (DARK, "connect_error", 3),
        (EXPIRED, "tls_error", 1),
        (WRONG_NAME, "tls_error", 1),
        (RETIRED, "unresolved_pop", 0),
        (IMPOSTOR, "wrong_pop", 1),
    ],
)
def test_bad_pop_requested_by_id_fails_its_targets(machine: Machine, pop: str, outcome: str, tries: int) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "pop", "region": [pop, TOKYO]})
    recorded = {record["pop"]: (record["outcome"], record["tries"]) for record in records(ran.name)}
    assert recorded == {pop: (outcome, tries), TOKYO: ("warmed", 2)}
    assert ran.output["passed"] is False


def test_plain_http_is_warmed_through_the_http_port(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(2, scheme="http"), "region_type": "pop", "region": [NEW, OLD, EXPIRED]})
    recorded = [(record["pop"], record["outcome"]) for record in records(ran.name)]
    assert len(recorded) == 6
    assert {outcome for _, outcome in recorded} <= {"warmed", "already_warm"}


def test_connections_closed_by_goaway_lose_no_target(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = fresh(120)
    for url in urls:
        edge.fault(path_of(url), "goaway:15")
    ran = machine.run({"url_list": urls, "region_type": "pop", "region": [NEW, OLD, TOKYO], "verify": "none"})
    recorded = {(record["url"], record["pop"]): record["outcome"] for record in records(ran.name)}
    assert recorded == {(url, pop): recorded[url, pop] for url in urls for pop in (NEW, OLD, TOKYO)}
    assert set(recorded.values()) <= {"warmed", "already_warm"}
    assert ran.output["passed"]


def test_reset_connection_is_a_connect_error(machine: Machine, edge: SimulatedCloudFront) -> None:
    (url,) = fresh()
    edge.fault(path_of(url), "reset")
    ran = machine.run({"url_list": [url], "region_type": "pop", "region": [NEW, OLD]})
    assert {(record["outcome"], record["tries"]) for record in records(ran.name)} == {("connect_error", 3)}


def test_connection_reset_once_is_retried(machine: Machine, edge: SimulatedCloudFront) -> None:
    first, url = fresh(2)
    edge.fault(path_of(url), "reset", times=2)
    ran = machine.run({"url_list": [first, url], "region_type": "pop", "region": [NEW, OLD]})
    assert {record["outcome"] for record in records(ran.name)} == {"warmed"}


def test_paths_and_queries_are_requested_unchanged(machine: Machine, edge: SimulatedCloudFront) -> None:
    tails = ["//two//slashes", "/a%2Fb?x=%41&y=a+b", "/semi;colon,comma", "/empty?", "/q?a=/b?c"]
    probed, stem = fresh(2)
    urls = [stem + tail for tail in tails]
    machine.run({"url_list": [probed, *urls], "region_type": "pop", "region": [NEW]})
    asked = edge.stats()["origin"]
    assert [asked.get(path_of(url)) for url in urls] == [1] * len(urls)
