"""The roll-up of batches of pairs: each target counts once, whichever parts are there."""

import random
from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.packing import first_stage, pack_pairs
from prewarm.planning.plan import Batch, Group, Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.encodings import pack
from prewarm.results.judging import failed_everywhere, set_aside
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import Verdict, roll_up
from prewarm.results.stats import measure
from prewarm.results.unfinished_batches import unfinished_batches
from tests.support.builders import plan

# A target: URL index, POP's position in the group, variant.
Target = tuple[int, int, int]


@dataclass
class Warmed:
    """A run of pairs: its plan, its parts, and what became of each target: warmed, failed or dark."""

    whole: Plan
    parts: list[BatchResult]
    outcomes: dict[Target, str]


def targets_of(batch: Batch, variants: int) -> list[Target]:
    cells = batch.cells
    return [
        (index, batch.pop_from + column, variant)
        for row, index in enumerate(cells.rows)
        for column in range(cells.pops)
        if cells.has(row, column)
        for variant in range(variants)
    ]


def part_of(
    batch: Batch, number: int, found: dict[Target, str], names: tuple[str, ...], *, finished: bool
) -> BatchResult:
    failed = Counter(url for (url, _, _), outcome in found.items() if outcome == "timeout")
    warm = Counter(url for (url, _, _), outcome in found.items() if outcome == "warmed")
    dark = {pop for (_, pop, _), outcome in found.items() if outcome == "dark"}
    return BatchResult(
        batch=batch.id,
        part=number,
        group=batch.group,
        url_from=batch.url_from,
        url_to=batch.url_to,
        pop_from=batch.pop_from,
        pops=batch.pop_to - batch.pop_from,
        finished=finished,
        done=len(found),
        outcomes=dict(Counter(outcome for outcome in found.values() if outcome != "dark")),
        verified=0,
        bytes=0,
        failed={url: {"timeout": count} for url, count in failed.items()},
        warm={} if finished else dict(warm),
        dark=tuple(Skipped(names[pop], "connect_error") for pop in sorted(dark)),
        targets=batch.targets,
    )


def simulate(urls: int, pops: int, variants: int, seed: int, *, staged: bool) -> Warmed:
    rng = random.Random(seed)
    masks = [sum(1 << pop for pop in range(pops) if rng.random() < 0.2) for _ in range(urls)]
    names = tuple(f"P{number}" for number in range(pops))
    groups = (Group("d.cloudfront.net", "E1", 0, urls, names, pops),)
    areas = [sum(1 << pop for pop in range(pops) if pop % 3 == area) for area in range(3)]
    in_stages = [*first_stage(masks, areas)] if staged else [masks]
    _, stages = pack_pairs(groups, in_stages, variants, rng.choice([1, 20, 200]))
    batches = tuple(batch for stage in stages for batch in stage)
    outcomes: dict[Target, str] = {}
    parts = []
    for batch in batches:
        dark = {pop for pop in range(batch.pop_from, batch.pop_to) if rng.random() < 0.2}
        found = {
            target: "dark" if target[1] in dark else rng.choice(["warmed", "warmed", "timeout"])
            for target in targets_of(batch, variants)
        }
        outcomes |= found
        order = sorted(found, key=lambda target: (found[target] != "dark", rng.random()))
        cut = rng.randint(sum(outcome == "dark" for outcome in found.values()), len(order))
        pieces = [order[:cut], order[cut:]] if 0 < cut < len(order) else [order]
        parts += [
            part_of(batch, number, {key: found[key] for key in piece}, names, finished=number == len(pieces) - 1)
            for number, piece in enumerate(pieces)
        ]
    whole = plan(
        groups=groups,
        url_count=urls,
        variants=tuple(map(str, range(variants))),
        percent_needed=95.0,
        batch_list=batches,
        batches=len(batches),
        pairs=bool(batches),
        targets=sum(batch.targets for batch in batches),
    )
    return Warmed(whole, parts, outcomes)


runs = st.builds(
    simulate, st.integers(1, 40), st.integers(1, 130), st.integers(1, 2), st.integers(0, 2**32), staged=st.booleans()
)


@given(runs)
@bounded(max_examples=40, deadline=None)
def test_all_parts_count_each_target_once(run: Warmed) -> None:
    if not run.whole.pairs:
        return
    rolled = roll_up(run.whole, run.parts)
    assert rolled.targets_done == len(run.outcomes) == run.whole.targets
    for url in rolled.urls:
        own = Counter(outcome for (index, _, _), outcome in run.outcomes.items() if index == url.index)
        mostly_dark = 2 * own["dark"] > own.total()
        reachable = own.total() - (0 if mostly_dark else own["dark"])
        assert (url.reachable, url.warm) == (reachable, own["warmed"])
        if not own:
            assert (url.verdict, url.failures) == (Verdict.FAILED, {"unreachable": 1})
        elif mostly_dark:
            failures = Counter(connect_error=own["dark"], timeout=own["timeout"])
            assert (url.verdict, url.failures) == (Verdict.FAILED, dict(+failures))
        else:
            success = own["warmed"] and 100 * own["warmed"] >= 95 * url.reachable
            assert url.verdict is (Verdict.SUCCESS if success else Verdict.FAILED)
    assert unfinished_batches(run.whole, run.parts) == []
    targets = measure(run.whole, run.parts).targets
    assert targets.total() == run.whole.targets
    names = run.whole.groups[0].pops
    assert +targets == Counter(names[pop] for _, pop, _ in run.outcomes)


@given(runs, st.integers(0, 2**32))
@bounded(max_examples=40, deadline=None)
def test_partial_results_count_each_target_at_most_once(run: Warmed, seed: int) -> None:
    if not run.whole.pairs:
        return
    rng = random.Random(seed)
    kept = {batch.id: rng.choice([0, 1, 2]) for batch in run.whole.batch_list}
    some = [part for part in run.parts if part.part < kept[part.batch]]
    rng.shuffle(some)
    before, ended = roll_up(run.whole, some), roll_up(run.whole, some, Outcome.LOST)
    done = sum(part.done for part in some)
    assert before.targets_done == ended.targets_done == done
    dark = len(run.outcomes) - sum(outcome != "dark" for outcome in run.outcomes.values())
    assert run.whole.targets - dark <= sum(url.reachable for url in ended.urls) <= run.whole.targets
    assert ended.outcomes["lost"] == run.whole.targets - done
    assert not ended.indices(Verdict.IN_PROGRESS)
    warm = Counter(index for (index, _, _), outcome in run.outcomes.items() if outcome == "warmed")
    for now, then in zip(before.urls, ended.urls, strict=True):
        assert now.warm == then.warm <= warm[now.index]
        assert then.warm + sum(then.failures.values()) == max(then.reachable, sum(then.failures.values()))
    finished = {part.batch for part in some if part.finished}
    assert {name for name, _ in unfinished_batches(run.whole, some)} == set(kept) - finished


def test_url_of_which_no_pair_can_be_reached_fails_as_unreachable() -> None:
    group = Group("d.cloudfront.net", "E1", 0, 2, ("P0",), 1)
    batch = Batch("1-000000", 0, 0, 1, 2, 0, 1, 1, (1,), (1,))
    whole = plan(groups=(group,), batch_list=(batch,), batches=1, pairs=True, targets=1)
    first, second = roll_up(whole, []).urls
    assert (first.verdict, first.failures) == (Verdict.FAILED, {"unreachable": 1})
    assert second.verdict is Verdict.IN_PROGRESS


def pair_of_batches() -> tuple[Plan, list[BatchResult]]:
    """Return two batches of pairs that have URL 3 in common, at different rows."""
    group = Group("d.cloudfront.net", "E1", 0, 5, ("P0", "P1", "P2"), 3)
    batches = (
        Batch("1-000000", 0, 0, 1, 4, 0, 2, 3, (1, 3), (1, 3)),
        Batch("1-000001", 0, 1, 3, 5, 2, 3, 2, (3, 4), (1, 1)),
    )
    whole = plan(groups=(group,), url_count=5, batch_list=batches, batches=2, pairs=True, targets=5)
    parts = [
        BatchResult(
            each.id, 0, 0, each.url_from, each.url_to, each.pop_to - each.pop_from, True, each.targets,
            {"warmed": each.targets}, 0, 0, pop_from=each.pop_from, targets=each.targets,
        )
        for each in batches
    ]  # fmt: skip
    return whole, parts


def test_contents_of_a_url_are_compared_between_batches_that_have_it_at_other_rows() -> None:
    whole, (one, other) = pair_of_batches()
    same = [replace(one, contents="aaaaaaaabbbbbbbb"), replace(other, contents="bbbbbbbbcccccccc")]
    assert roll_up(whole, same).mixed == {}
    differing = [same[0], replace(other, contents="dddddddd00000000")]
    assert roll_up(whole, differing).mixed == {3: ("P0", "P2")}


def test_plain_copies_of_a_url_are_found_between_batches_that_have_it_at_other_rows() -> None:
    whole, (one, other) = pair_of_batches()
    compressed = replace(one, encodings="-B")
    assert roll_up(whole, [compressed, replace(other, encodings="ii", plain_copies=pack({0: 1}))]).uncompressed == {
        3: ("P2",)
    }
    assert roll_up(whole, [compressed, replace(other, encodings="ii", plain_copies=pack({1: 1}))]).uncompressed == {}


def test_a_url_that_fails_everywhere_is_set_aside_only_at_the_pops_of_its_pairs() -> None:
    whole, (one, other) = pair_of_batches()
    failed = {3: {"client_error:404:": 2}}
    parts = [replace(one, failed=failed), replace(other, failed={3: {"client_error:404:": 1}})]
    urls = roll_up(whole, parts).urls
    assert [url.index for url in urls if failed_everywhere(url)] == [3]
    assert set_aside(whole, urls) == {"P0": 1, "P1": 1, "P2": 1}
    only_first = [replace(one, failed={1: {"client_error:404:": 1}}), other]
    assert set_aside(whole, roll_up(whole, only_first).urls) == {"P0": 1}
