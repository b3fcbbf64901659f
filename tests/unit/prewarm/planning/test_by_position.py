"""What a block stores by position is read again, also as earlier versions stored it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from prewarm.planning.by_position import ALL, pack, unpack


@given(
    st.lists(
        st.none() | st.sampled_from(["a", "b"]) | st.lists(st.integers(0, 1), min_size=2, max_size=2), max_size=6
    )
)
def test_stored_values_are_read_again(values: list[str | list[int] | None]) -> None:
    by_position = {position: value for position, value in enumerate(values) if value is not None}
    stored = json.loads(json.dumps(pack(by_position, len(values))))
    assert unpack(stored, len(values)) == by_position
    assert unpack(json.loads(json.dumps(by_position)), len(values)) == by_position


def test_value_of_all_positions_is_stored_once() -> None:
    assert pack({0: "x", 1: "x"}, 2) == {ALL: "x"}
    assert pack({0: "x", 1: "x"}, 3) == {0: "x", 1: "x"}
    assert pack({0: "x", 1: "y"}, 2) == {0: "x", 1: "y"}
