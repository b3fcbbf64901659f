"""Pairs in a distribution's group: POPs that cannot be reached are skipped, or their pairs move to a near POP."""

from collections import Counter

from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.plan import Skipped
from resolve.pops.pairs import PlacedPairs, choose_pairs, place_pairs
from resolve.stages import ChosenGroup, MatchedGroup, ProbedGroup, Targets
from tests.support.builders import DISTRIBUTION, parsed
from tests.support.planning import CATALOGUE

HOST = "www.example.com"
TOKYO, OTHER_TOKYO, SYDNEY, NEW = "NRT57-P3", "NRT20-C2", "SYD1-C1", "QQQ50-P1"
POPS = (TOKYO, SYDNEY, NEW, OTHER_TOKYO)
# By URL: /0 at Tokyo and Sydney, /1 at Sydney, /2 at a POP that the catalogue does not know.
MASKS = {f"https://{HOST}/0": 0b0011, f"https://{HOST}/1": 0b0010, f"https://{HOST}/2": 0b0100}
REQUESTS = {(HOST, TOKYO): 10, (HOST, SYDNEY): 70, (HOST, NEW): 20, ("other", TOKYO): 999}


def chosen(masks: dict[str, int] | None = None, *, nearest: bool = False) -> ChosenGroup:
    own = MASKS if masks is None else masks
    group = MatchedGroup(DISTRIBUTION, parsed(*own))
    return choose_pairs(group, Targets(POPS, own, REQUESTS, 4), CATALOGUE, nearest=nearest)


def placed(
    unusable: dict[str, str], masks: dict[str, int] | None = None, *, nearest: bool = False
) -> tuple[PlacedPairs, set[tuple[str, str]]]:
    """Return what is left when POPs are unusable, for a reason each, and the pairs of path and POP."""
    group = chosen(masks, nearest=nearest)
    probed = ProbedGroup(
        group.distribution, group.urls, group.pops, (), [],
        addresses={pop: ["192.0.2.1"] for pop in group.pops},
        unusable={pop: Skipped(pop, reason) for pop, reason in unusable.items()},
        masks=group.masks, requests=group.requests,
    )  # fmt: skip
    left = place_pairs(probed, CATALOGUE, nearest=nearest)
    pairs = {
        (url.given[-2:], pop)
        for url, mask in zip(group.urls, left.masks, strict=True)
        for column, pop in enumerate(left.pops)
        if mask >> column & 1
    }
    return left, pairs


def test_pops_of_the_pairs_are_chosen_and_need_no_catalogue_entry() -> None:
    group = chosen()
    assert NEW not in CATALOGUE.pops
    assert group.pops == (TOKYO, SYDNEY, NEW)
    assert group.masks == [0b011, 0b010, 0b100]
    assert group.requests == {TOKYO: 10, SYDNEY: 70, NEW: 20}


def test_unreachable_pop_is_skipped_with_the_share_of_requests_that_is_lost() -> None:
    left, pairs = placed({SYDNEY: "timeout"})
    assert pairs == {("/0", TOKYO), ("/2", NEW)}
    assert left.skipped == (Skipped(SYDNEY, "timeout"),)
    (warning,) = left.warnings
    assert "1 of its POPs cannot be reached, so 70.0 % of the requests (70 of 100) are not warmed" in warning
    assert f"{SYDNEY} (the POP stopped responding); set nearest: true" in warning
    # Its only POP is gone, so no batch has it.
    assert left.masks[1] == 0


def test_all_pops_unreachable_leaves_all_pairs_so_that_they_fail() -> None:
    left, pairs = placed(dict.fromkeys((TOKYO, SYDNEY, NEW), "timeout"))
    assert len(pairs) == 4
    assert left.skipped == ()


def test_nearest_moves_the_pairs_to_another_pop_of_the_location() -> None:
    left, pairs = placed({TOKYO: "timeout", NEW: "unresolved_pop"}, nearest=True)
    moved = {pop for path, pop in pairs if path == "/0"} - {SYDNEY}
    (other,) = moved
    assert other.startswith("NRT")
    assert other != TOKYO
    assert pairs == {("/0", other), ("/0", SYDNEY), ("/1", SYDNEY)}
    assert [each.pop for each in left.skipped] == [TOKYO, NEW]
    assert left.skipped[0].detail == f"warmed at {other} instead"
    lost, warmed = left.warnings
    assert "20.0 % of the requests (20 of 100) are not warmed: QQQ50-P1" in lost
    assert "set nearest" not in lost
    assert f"10.0 % of the requests (10 of 100) are warmed at another POP of the same location: {TOKYO}" in warmed


def test_nearest_prefers_a_pop_that_has_pairs_already() -> None:
    masks = {f"https://{HOST}/0": 0b0001, f"https://{HOST}/1": 0b1000}
    _, pairs = placed({TOKYO: "timeout"}, masks, nearest=True)
    assert pairs == {("/0", OTHER_TOKYO), ("/1", OTHER_TOKYO)}


def test_nearest_without_an_unreachable_pop_warms_no_other() -> None:
    left, pairs = placed({}, nearest=True)
    assert {pop for _, pop in pairs} == set(left.pops) == {TOKYO, SYDNEY, NEW}
    assert (left.warnings, left.skipped) == ((), ())


@given(
    st.lists(st.integers(1, 15), min_size=1, max_size=9),
    st.sets(st.sampled_from(POPS)),
    st.booleans(),
)
@bounded(deadline=None)
def test_each_pair_is_kept_moved_or_reported(bits: list[int], unusable: set[str], nearest: bool) -> None:
    masks = {f"https://{HOST}/{number}": mask for number, mask in enumerate(bits)}
    group = chosen(masks, nearest=nearest)
    left, pairs = placed(dict.fromkeys(unusable & set(group.pops), "timeout"), masks, nearest=nearest)
    before = {
        (url.given[-2:], POPS[column]) for url in group.urls for column in range(4) if masks[url.fetch] >> column & 1
    }
    skipped = {each.pop for each in left.skipped}
    assert skipped <= unusable
    moved = {each.pop for each in left.skipped if each.detail}
    assert {pair for pair in before if pair[1] not in skipped} <= pairs
    for path, count in Counter(path for path, _ in before).items():
        kept = sum(pop not in skipped for own, pop in before if own == path)
        assert kept <= sum(own == path for own, _ in pairs) <= count
    added = {pop for _, pop in pairs} - {pop for _, pop in before}
    assert {pop[:3] for pop in added} <= {pop[:3] for pop in moved}
