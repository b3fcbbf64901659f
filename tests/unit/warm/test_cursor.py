"""The cursor between two workers: which targets are finished, and the progress of others."""

import json
import random

from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from tests.support.builders import targets_of, tile_of
from warm.cursor import FETCHED, Cursor


@given(st.integers(1, 7), st.integers(1, 6), st.integers(1, 3), st.randoms(use_true_random=False), st.integers(0, 9))
@bounded(max_examples=50)
def test_cursor_restores_exactly_the_unfinished_targets(
    urls: int, pops: int, variants: int, dice: random.Random, part: int
) -> None:
    names = tuple(f"v{number}" for number in range(variants))
    _, tile = tile_of(urls, pops, variants=names)
    whole = list(range(urls * pops * variants))
    finished = set(dice.sample(whole, dice.randint(0, len(whole))))
    for number in finished:
        tile.mark_done(number)
    cursor = Cursor.from_json(json.loads(json.dumps(Cursor(part, bytes(tile.done)).as_json())))
    assert cursor == Cursor(part, bytes(tile.done))
    _, again = tile_of(urls, pops, variants=names, done=cursor.done)
    assert [target.number for target in targets_of(again)] == [number for number in whole if number not in finished]
    assert [again.is_done(number) for number in whole] == [number in finished for number in whole]


def test_cursor_needs_one_bit_per_target() -> None:
    _, tile = tile_of(7, 3)
    assert len(tile.done) == 3
    assert Cursor.from_json(None) == Cursor(0, b"")


@given(st.dictionaries(st.integers(0, 500), st.integers(1, FETCHED)))
def test_progress_survives_json(progress: dict[int, int]) -> None:
    cursor = Cursor(1, b"\x01", progress)
    assert Cursor.from_json(json.loads(json.dumps(cursor.as_json()))) == cursor
