"""The largest item of the ledger: the largest batch, with everything failing in as many ways as possible."""

import base64
import random
from typing import Any

import pytest

import warm.recorder
from prewarm.fetcher.response import Response
from prewarm.planning.batching import MAX_TARGETS_PER_CURSOR, MAX_URLS_PER_BATCH, POPS_PER_BATCH, tiling
from prewarm.planning.plan import Batch, Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.failures import ID_IN_RECORDS, by_status
from prewarm.results.outcome import SILENT, WARM, Outcome
from prewarm.storage.ledger_items import pack_item, part_key, result_as_item, result_from_item, unpack_item
from tests.support.builders import plan, response
from warm.recorder import Recorder
from warm.target import Target
from warm.tile import Tile

# DynamoDB Developer Guide, "Quotas": Item size.
MAX_ITEM_BYTES = 400 * 1024
# The last URLs of a request with ten million.
FIRST_URL = 9_000_000
COLD = sorted(set(Outcome) - WARM)


def size_of(typed: dict[str, Any]) -> int:
    """Return an attribute value's size in bytes (DynamoDB Developer Guide, "Item sizes and formats")."""
    ((kind, value),) = typed.items()
    if kind == "S":
        return len(value.encode())
    if kind == "B":
        return len(value)
    if kind == "N":
        return len(value.strip("-0")) // 2 + 2
    if kind == "L":
        return 3 + sum(size_of(entry) + 1 for entry in value)
    if kind == "M":
        return 3 + sum(len(name.encode()) + size_of(entry) + 1 for name, entry in value.items())
    assert kind == "BOOL"
    return 1


def item_size(result: BatchResult) -> int:
    item = {"run": "r" * 80, "sk": part_key(result.batch, result.part), "ttl": 2_000_000_000}
    packed = pack_item(item | result_as_item(result))
    return sum(len(name) + size_of(value) for name, value in packed.items())


def largest_batch(variants: int) -> tuple[Recorder, Tile]:
    """Return the recorder of the largest batch that the tiling makes with so many variants."""
    # Each POP at a location of its own.
    names = tuple(f"{chr(65 + n // 26)}{chr(65 + n % 26)}A{100 + n}-P999" for n in range(POPS_PER_BATCH))
    size = tiling(10**7, POPS_PER_BATCH, variants, 10**9)
    assert size.urls == min(MAX_URLS_PER_BATCH, MAX_TARGETS_PER_CURSOR // (POPS_PER_BATCH * variants))
    last = FIRST_URL + size.urls
    whole = plan(
        url_count=last,
        groups=(Group("d111.cloudfront.net", "E1", 0, last, names, len(names)),),
        region_type="region",
        variants=tuple(map(str, range(variants))),
    )
    batch = Batch("1-004999", 0, 4999, FIRST_URL, last, 0, size.pops, size.urls * size.pops * variants)
    block = {"urls": [f"https://www.example.com/{number}" for number in range(size.urls)], "headers": {}}
    tile = Tile.build(whole, batch, block | {"user_agent": None}, [{}])
    return Recorder(whole, tile), tile


def record(variants: int, outcomes: list[Outcome], monkeypatch: pytest.MonkeyPatch, most: int) -> BatchResult:
    """Return the result of the largest batch, with random outcomes, statuses and contents."""
    monkeypatch.setattr(warm.recorder, "record_line", lambda *_, **__: "")
    rng = random.Random(1)
    recorder, tile = largest_batch(variants)
    pops, urls = len(tile.pops), len(tile.urls)
    usual = "Error from cloudfront"
    longest, detail = usual + "x" * 90_000, "certificate " * 500
    # Drawn all at once: one at a time they take as long as the recorder.
    count = min(tile.batch.targets, most)
    drawn = rng.choices(outcomes, k=count)
    statuses = rng.choices(range(100, 1_000), k=count)
    servers = rng.choices(["CloudFront", "nginx"], k=count)
    signs = rng.choices((-1, 1), k=count)
    ids = [base64.b64encode(rng.randbytes(42)).decode() for _ in range(count)]
    for number in range(count):
        rest, pop = divmod(number, pops)
        variant, url = divmod(rest, urls)
        target = Target(number, url, pop, variant, verify=False, tries=9, bytes=10**12)
        # Differences of all sizes, as no edge has them: 160 classes at each location.
        target.spared_ms = signs[number] * 10 ** (6 * rng.random())
        answer = Response(
            status=statuses[number],
            connected=True,
            cf_pop=tile.pops[pop],
            x_cache=longest if number == 0 else usual,
            bytes=10,
            content_length="10",
            etag=ids[number],
            cf_id=ids[number],
            server=servers[number],
            ttfb_ms=1 + 10**6 * rng.random(),
        )
        # Some POPs are dark, with a long explanation.
        outcome = Outcome.TLS_ERROR if pop % 4 == 0 and Outcome.TLS_ERROR in outcomes else drawn[number]
        recorder.record(target, answer, outcome, detail)
    result = recorder.result(99, 10**9, 9)
    return BatchResult(**{**vars(result), "attempt": "a" * 32, "previous": "b" * 32})


@pytest.mark.parametrize(
    ("variants", "outcomes"),
    [
        (1, COLD),
        (1, [*COLD, *WARM, *WARM]),
        (3, [*sorted(set(COLD) - SILENT), *WARM, *WARM]),
    ],
    ids=["everything fails", "failures and mixed contents", "three variants"],
)
def test_largest_item_is_below_dynamodbs_limit(
    variants: int, outcomes: list[Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The part is not the last one where something is warm: then it also counts the warm targets of each URL.
    most = MAX_TARGETS_PER_CURSOR - POPS_PER_BATCH if set(outcomes) & WARM else MAX_TARGETS_PER_CURSOR
    result = record(variants, outcomes, monkeypatch, most)
    assert result.done > 190_000
    size = item_size(result)
    assert size < 0.9 * MAX_ITEM_BYTES, f"{size:,} bytes"
    stored = result_from_item(unpack_item(pack_item(result_as_item(result))))
    cold = sum(count for name, count in result.outcomes.items() if Outcome(name) not in WARM)
    assert sum(sum(counts.values()) for counts in stored.failed.values()) == cold
    assert {each.url for each in stored.examples} == set(result.failed)
    kept = [each.cf_id != ID_IN_RECORDS for each in stored.examples]
    assert kept[0]
    assert kept == sorted(kept, reverse=True), "the last ones are without request ids, and say so"
    assert all(each.pop and each.outcome for each in stored.examples)


def test_usual_failures_keep_their_statuses(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, tile = largest_batch(1)
    monkeypatch.setattr(warm.recorder, "record_line", lambda *_, **__: "")
    for number in range(20_000):
        rest, pop = divmod(number, len(tile.pops))
        status = 404 if rest % 2 else 503
        outcome = Outcome.CLIENT_ERROR if rest % 2 else Outcome.SERVER_ERROR
        recorder.record(Target(number, rest, pop, 0, verify=False), response(status=status), outcome, "")
    result = recorder.result(0)
    stored = result_from_item(unpack_item(pack_item(result_as_item(result))))
    assert stored == result
    assert stored.failed[FIRST_URL] == {"server_error:503:edge": len(tile.pops)}
    assert by_status(stored.failed[FIRST_URL]) == {"503": len(tile.pops)}
    assert len(stored.examples) == 200


def test_request_ids_of_a_usual_batch_are_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, tile = largest_batch(1)
    monkeypatch.setattr(warm.recorder, "record_line", lambda *_, **__: "")
    rng = random.Random(2)
    for url in range(1_000):
        answer = response(status=404, cf_id=base64.b64encode(rng.randbytes(42)).decode())
        target = Target(url * len(tile.pops), url, 0, 0, verify=False)
        recorder.record(target, answer, Outcome.CLIENT_ERROR, "")
    stored = result_from_item(unpack_item(pack_item(result_as_item(recorder.result(0)))))
    assert len({each.cf_id for each in stored.examples}) == 1_000
