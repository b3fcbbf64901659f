"""Runs of pairs of URL and POP: exactly those copies are warmed, and no others."""

import gzip
import io
import math
from typing import Any

import pytest

from prewarm.targets_csv import Pair, Traffic, write_targets
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import (
    AUCKLAND,
    BUCKET,
    DARK,
    OTHER_HOST,
    RETIRED,
    SYDNEY,
    TOKYO,
    Machine,
    client,
    document,
    outcomes,
    records,
)  # fmt: skip

TRAFFIC = Traffic(1000, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", {50: 1, 95: 3})


def stored(text: str | bytes, key: str = "lists/targets.csv") -> str:
    body = text.encode() if isinstance(text, str) else text
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def csv_of(pairs: list[Pair], traffic: Traffic | None = TRAFFIC) -> str:
    file = io.StringIO()
    write_targets(pairs, file, traffic)
    return file.getvalue()


def rejected(machine: Machine, address: str, **request: Any) -> str:
    cause: str = machine.resolve({"targets_s3": address} | request).resolved["rejection"]["cause"]
    return cause


def copies_of(edge: SimulatedCloudFront, urls: list[str]) -> set[tuple[str, str]]:
    """Return which POPs have which of the URLs in their caches."""
    paths = {path_of(url): url for url in urls}
    return {(paths[path], pop) for pop, held in edge.copies().items() for path, _ in held if path in paths}


@pytest.mark.parametrize("staged", [False, True])
def test_pairs_warm_exactly_their_copies(machine: Machine, edge: SimulatedCloudFront, *, staged: bool) -> None:
    urls = [*fresh(3), *fresh(1, OTHER_HOST)]
    asked = {
        (urls[0], SYDNEY[0]), (urls[0], TOKYO), (urls[1], SYDNEY[1]), (urls[2], AUCKLAND[0]), (urls[3], TOKYO),
    }  # fmt: skip
    address = stored(gzip.compress(csv_of([Pair(url, pop, 10, 500) for url, pop in sorted(asked)]).encode()))
    ran = machine.run({"targets_s3": address, "staged": staged})
    assert (ran.output["passed"], ran.output["success"], ran.output["total"]) == (True, 4, 4)
    assert copies_of(edge, urls) == asked
    assert {(record["url"], record["pop"]) for record in records(ran.name)} == asked
    summary = document(ran.name, "summary.json")
    assert (summary["targets"], summary["targetsDone"], summary["outcomes"]) == (5, 5, {"warmed": 5})
    assert {entry["pop"]: entry["targets"] for entry in summary["pops"]} == {
        SYDNEY[0]: 1, SYDNEY[1]: 1, AUCKLAND[0]: 1, TOKYO: 2,
    }  # fmt: skip
    # Each URL and each POP has a proof: that of the first URL at Sydney or Tokyo is not needed for the other.
    assert summary["verified"] in {4, 5}


def test_unreachable_pop_is_skipped_and_its_only_url_fails(machine: Machine) -> None:
    urls = fresh(2)
    pairs = [Pair(urls[0], SYDNEY[0], 80), Pair(urls[0], DARK, 5), Pair(urls[1], RETIRED, 15)]
    ran = machine.run({"targets_s3": stored(csv_of(pairs))})
    summary = document(ran.name, "summary.json")
    assert (summary["success"], summary["failed"]) == (1, 1)
    assert [(entry["url"], entry["reasons"]) for entry in summary["failures"]] == [(urls[1], {"unreachable": 1})]
    assert {entry["pop"] for entry in summary["skippedPops"]} == {DARK, RETIRED}
    (warning,) = [each for each in summary["warnings"] if "cannot be reached" in each]
    assert "20.0 % of the requests (20 of 100) are not warmed" in warning


def test_nearest_warms_the_pairs_of_an_unreachable_pop_at_another_of_its_location(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    (url,) = fresh()
    gone = "SYD99-P9"
    ran = machine.run({"targets_s3": stored(csv_of([Pair(url, gone, 7)])), "nearest": True})
    assert ran.output["passed"]
    ((_, pop),) = copies_of(edge, [url])
    assert pop.startswith("SYD")
    (skipped,) = document(ran.name, "summary.json")["skippedPops"]
    assert (skipped["pop"], skipped["detail"]) == (gone, f"warmed at {pop} instead")


def test_region_and_url_list_limit_the_pairs(machine: Machine) -> None:
    one, other = fresh(2)
    address = stored(csv_of([Pair(one, SYDNEY[0]), Pair(one, TOKYO), Pair(other, SYDNEY[0])]))
    ran = machine.run({"targets_s3": address, "region_type": "country", "region": ["australia"], "url_list": [one]})
    assert [(record["url"], record["pop"]) for record in records(ran.name)] == [(one, SYDNEY[0])]
    (source,) = document(ran.name, "summary.json")["sources"]
    assert sorted((each["reason"], each["count"]) for each in source["leftOut"]) == [
        ("their POPs are outside the request's region", 1),
        ("their URLs are not in the request's url_list", 1),
    ]
    unknown = fresh()[0]
    assert f"url_list: '{unknown}' has no pair in targets_s3" in rejected(machine, address, url_list=[unknown])


def test_list_of_which_the_region_leaves_nothing_says_why(machine: Machine) -> None:
    address = stored(csv_of([Pair(url, SYDNEY[0]) for url in fresh(2)]))
    reason = rejected(machine, address, region_type="country", region=["germany"])
    assert "contains no pair to warm (2 left out: their POPs are outside the request's region)" in reason


def test_variants_multiply_the_pairs(machine: Machine) -> None:
    (url,) = fresh()
    address = stored(csv_of([Pair(url, SYDNEY[0]), Pair(url, TOKYO)]))
    ran = machine.run({"targets_s3": address, "accept_encodings": ["gzip", "identity"], "verify": "all"})
    assert outcomes(ran.name) == {"warmed": 4}


def test_dry_run_shows_the_share_of_all_requests_and_prices_the_pairs_only(machine: Machine) -> None:
    urls = fresh(3)
    pairs = [Pair(url, pop, 100) for url in urls[:2] for pop in (SYDNEY[0], TOKYO)] + [Pair(urls[2], TOKYO, 50)]
    address = stored(csv_of(pairs))
    machine.resolve({"targets_s3": address, "dry_run": True}, "dry")
    dry_run = document("dry", "dry_run.json")
    assert dry_run["demand"] == {
        "pairs": 5, "requests": 450, "allRequests": 1000, "share": 45.0,
        "from": TRAFFIC.since, "to": TRAFFIC.until,
        "curve": [{"percent": 50, "pairs": 1}, {"percent": 95, "pairs": 3}],
    }  # fmt: skip
    assert dry_run["targets"] == 5
    # A second fetch proves each URL, and those of three URLs both POPs; each price region's are rounded up.
    assert dry_run["fetches"] == math.ceil(2 * 8 / 5) + math.ceil(3 * 8 / 5)
    assert dry_run["distributions"][0]["targets"] == 5
    machine.resolve({"targets_s3": stored(csv_of(pairs, None)), "dry_run": True}, "unknown")
    unknown = document("unknown", "dry_run.json")
    assert unknown["demand"]["share"] is None
    assert any("no #traffic line" in warning for warning in unknown["warnings"])


def test_share_of_a_list_that_has_grown_is_unknown(machine: Machine) -> None:
    (url,) = fresh()
    address = stored(csv_of([Pair(url, TOKYO, 1_400)]))
    machine.resolve({"targets_s3": address, "dry_run": True}, "grown")
    grown = document("grown", "dry_run.json")
    assert (grown["demand"]["requests"], grown["demand"]["share"]) == (1_400, None)
    assert any("1,400 requests, but its #traffic line counts 1,000" in warning for warning in grown["warnings"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'s3://prewarm-runs/lists/targets.csv' is empty; it needs the header url,pop,requests,bytes"),
        ("url,pop\n", "contains no pair to warm"),
        ("url,pop\nftp://x/?token=s,SYD1-C1\n", "targets_s3: line 2, column url: 'ftp://x/?token=…' has the scheme"),
        (f"url,pop\nhttps://{HOST}/,sydney\n", "line 2, column pop: 'SYDNEY' is not a POP id"),
        (f"url,pop,requests\nhttps://{HOST}/,SYD1-C1,x\n", "line 2, column requests: 'x' is not a whole number"),
        (f"url,pop\nhttps://{HOST}/,SYD1-C1\n#end,pairs=2,requests=2\n", "line 3, column pairs: #end says 2"),
        (b"url,pop\nhttps://\xff/,SYD1-C1\n", "is not text in UTF-8: invalid start byte, after line 1; save it"),
        (b"pop,url\nSYD1-C1,https://www.example.com/a,b\n", "line 2: has 3 cells, the header has 2; quote the URL"),
        (gzip.compress(csv_of([]).encode(), mtime=0)[:-9], "gzip"),
        ("url,pop\n" + "x" * 70_000, "line 2 has more than 65,536 characters"),
    ],
)
def test_damaged_list_is_refused_with_line_and_column(machine: Machine, text: str | bytes, words: str) -> None:
    assert words in rejected(machine, stored(text))


def test_list_outside_the_allowed_buckets_is_refused(machine: Machine) -> None:
    assert "may not be read as a list of targets" in rejected(machine, "s3://foreign/targets.csv")
    assert "may not be read as a list of targets" in rejected(machine, f"s3://{BUCKET}/runs/x/request.json")


def test_batches_of_pairs_are_listed_next_to_the_plan(machine: Machine) -> None:
    urls = fresh(2)
    ran = machine.resolve({"targets_s3": stored(csv_of([Pair(urls[0], SYDNEY[0]), Pair(urls[1], TOKYO)]))})
    item = machine.items(ran)[0]
    plan = machine.storage.with_batches(machine.storage.need_plan(ran.name))
    assert (plan.pairs, plan.batch_list[0].rows, plan.targets) == (True, (0, 1), 2)
    machine.warm(ran, item)
    assert machine.aggregate(ran)["passed"]
