"""The ledger's items: stored attribute names, and values that are read as they were written."""

import json
import zlib
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.planning.plan import Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.failures import Example
from prewarm.storage.ledger_items import ALIASES, pack_item, result_as_item, result_from_item, unpack_item

# An item as it is stored: these names and types must stay readable. `failed` is compressed JSON.
STORED = {
    "batch": "1-000000",
    "part": 2,
    "group": 3,
    "urlFrom": 4,
    "urlTo": 6,
    "popFrom": 7,
    "pops": 8,
    "finished": False,
    "done": 16,
    "outcomes": {"warmed": 9},
    "verified": 1,
    "bytes": 1000,
    "failed": zlib.compress(b'{"4":{"client_error:404":1,"timeout":1}}'),
    "warm": {"5": 3},
    "dark": [["ATL56-C1", "connect_error", "refused"]],
    "layers": {"EDGE": 1},
    "contents": "00000000",
    "mixed": {"5": ["ATL56-C1", "NRT57-P3"]},
    "perPop": "1 2 3 4 5 6",
    "times": {"7": 8},
    "plain": 9,
    "gbMs": 10,
    "redrives": 11,
    "attempt": "5f0c",
    "previous": "a1b2",
    "examples": [[4, "ATL56-C1", "client_error", 404, "Error from cloudfront", "id=="]],
    "verifiedInPop": 12,
    "verifiedElsewhere": 13,
    "servers": "3/2",
    "encodings": "bi",
    "uncompressed": b"u",
    "plainCopies": b"p",
    "shortLived": b"s",
    "targets": 17,
    "vary": {"accept": [3, 4]},
    "gain": "NRT 7 2 -3:1 30:4",
}
# The first version stored failures as a map by outcome, and no attempts.
LATER = {
    *("attempt", "previous", "examples", "verifiedInPop", "verifiedElsewhere"),
    *("servers", "encodings", "uncompressed", "plainCopies", "vary", "gain", "shortLived"),
}
FIRST = {name: STORED[name] for name in STORED if name not in LATER}
FIRST["failed"] = {"4": {"timeout": 2}}
RESULT = BatchResult(
    batch="1-000000",
    part=2,
    group=3,
    url_from=4,
    url_to=6,
    pops=8,
    finished=False,
    done=16,
    outcomes={"warmed": 9},
    verified=1,
    bytes=1000,
    failed={4: {"client_error:404": 1, "timeout": 1}},
    dark=(Skipped("ATL56-C1", "connect_error", "refused"),),
    pop_from=7,
    warm={5: 3},
    layers={"EDGE": 1},
    contents="00000000",
    mixed={5: ("ATL56-C1", "NRT57-P3")},
    per_pop="1 2 3 4 5 6",
    times={7: 8},
    plain=9,
    gb_ms=10,
    redrives=11,
    attempt="5f0c",
    previous="a1b2",
    examples=(Example(4, "ATL56-C1", "client_error", 404, "Error from cloudfront", "id=="),),
    verified_in_pop=12,
    verified_elsewhere=13,
    servers="3/2",
    encodings="bi",
    uncompressed=b"u",
    plain_copies=b"p",
    vary={"accept": (3, 4)},
    targets=17,
    gain="NRT 7 2 -3:1 30:4",
    short_lived=b"s",
)


def test_stored_names_and_types_are_unchanged() -> None:
    stored = result_as_item(RESULT)
    examples = stored.pop("failedExamples")
    assert stored == {name: value for name, value in STORED.items() if name != "examples"}
    assert json.loads(zlib.decompress(examples)) == [
        [4], ["ATL56-C1"], ["client_error"], [404], ["Error from cloudfront"], ["id=="], [""],
    ]  # fmt: skip
    assert result_from_item(stored | {"failedExamples": examples}) == RESULT
    # Earlier versions stored examples of a few failures, as a list.
    assert result_from_item(STORED | {"run": "run", "sk": "1-000000#2", "ttl": 1}) == RESULT


def test_item_of_the_first_version_is_read_with_defaults() -> None:
    first = replace(RESULT, failed={4: {"timeout": 2}}, attempt="", previous="", examples=(), verified_in_pop=0)
    first = replace(
        first,
        verified_elsewhere=0,
        servers="",
        encodings="",
        uncompressed=b"",
        plain_copies=b"",
        vary={},
        gain="",
        short_lived=b"",
    )
    assert result_from_item(FIRST | {"run": "run", "sk": "1-000000#2", "ttl": 1}) == first


def test_aliases_name_fields_of_the_result() -> None:
    assert set(ALIASES) <= {field.name for field in fields(BatchResult)}


def test_missing_attribute_has_the_default_of_its_field() -> None:
    older = {name: value for name, value in STORED.items() if name not in {"redrives", "verifiedInPop"}}
    assert (result_from_item(older).redrives, result_from_item(older).verified_in_pop) == (0, 0)
    with pytest.raises(TypeError, match="url_from"):
        result_from_item({name: value for name, value in STORED.items() if name != "urlFrom"})


counts = st.dictionaries(
    st.sampled_from(["server_error:503", "server_error", "timeout"]), st.integers(1, 999), max_size=3
)
results = st.builds(
    BatchResult,
    batch=st.text(min_size=1, max_size=9),
    part=st.integers(0, 99),
    group=st.integers(0, 9),
    url_from=st.integers(0, 10**6),
    url_to=st.integers(0, 10**6),
    pops=st.integers(1, 100),
    finished=st.booleans(),
    done=st.integers(0, 10**6),
    outcomes=counts,
    verified=st.integers(0, 999),
    bytes=st.integers(0, 10**15),
    failed=st.dictionaries(st.integers(0, 10**6), counts, max_size=3),
    dark=st.lists(st.builds(Skipped, st.text(max_size=9), st.text(max_size=9), st.text(max_size=9)), max_size=2).map(
        tuple
    ),
    pop_from=st.integers(0, 999),
    warm=st.dictionaries(st.integers(0, 10**6), st.integers(1, 100), max_size=3),
    layers=st.dictionaries(st.sampled_from(["EDGE", "REC"]), st.integers(1, 9)),
    contents=st.text("0123456789abcdef", max_size=16),
    mixed=st.dictionaries(st.integers(0, 10**6), st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=2),
    per_pop=st.text(max_size=20),
    times=st.dictionaries(st.integers(0, 99), st.integers(1, 9), max_size=3),
    plain=st.integers(0, 9),
    gb_ms=st.integers(0, 10**9),
    redrives=st.integers(0, 9),
    attempt=st.text("0123456789abcdef", max_size=32),
    previous=st.text("0123456789abcdef", max_size=32),
    examples=st.lists(
        st.builds(Example, st.integers(0, 9), st.text(), st.text(), st.integers(0, 599), st.text(), st.text()),
        max_size=2,
    ).map(tuple),
)


@given(results)
def test_result_is_unchanged_after_storing_and_reading(item: BatchResult) -> None:
    assert result_from_item(unpack_item(pack_item(result_as_item(item)))) == item
