"""The quick part of the fuzz targets: corpus and some mutations of each; `python -m tests.fuzz` is the long one."""

import pytest

from tests.fuzz.mutate import corpus, mutations
from tests.fuzz.targets import TARGETS

SEED = 1
COUNTS = {"request": 800, "event": 200, "edge": 3_000, "stored": 40, "cursor": 3_000}


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_keeps_the_promises_of_its_target(name: str) -> None:
    for number, data in enumerate(mutations(name, SEED, COUNTS[name])):
        try:
            TARGETS[name](data)
        except Exception as error:
            raise AssertionError(f"{name}, seed {SEED}, input {number}: {data!r}") from error


def test_each_target_has_a_corpus_and_repeats_with_its_seed() -> None:
    assert all(corpus(name) for name in TARGETS)
    assert list(mutations("stored", 7, 20)) == list(mutations("stored", 7, 20))
    assert list(mutations("stored", 7, 20)) != list(mutations("stored", 8, 20))


def test_target_finds_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.handler.find_progress", lambda *_, **__: 1 / 0)
    with pytest.raises(AssertionError, match="ServiceError"):
        TARGETS["event"](b'{"path": "/status", "queryStringParameters": {"requestID": "r"}}')
