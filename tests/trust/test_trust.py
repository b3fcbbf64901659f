"""A part of the fault matrix, with a fixed seed (PREWARM_TRUST_SEED sets another); `make trust` runs all of it."""

import gzip
import json
import os
import random
import re
from collections.abc import Iterator

import pytest

from tests.trust.case import Case, follow_all, perform
from tests.trust.cases import all_cases
from tests.trust.cases_kill import WRITES
from tests.trust.drive import Run, Shape
from tests.trust.record import BEGIN, END, PAGE, put_between
from tests.trust.recount import recount
from tests.trust.world import World

SEED = int(os.environ.get("PREWARM_TRUST_SEED", "1"))
CASES = all_cases()
WRITING = re.compile(r"s3:(PUT|DELETE) .*|dynamodb:(put|update|delete) .*|stepfunctions:St.*|cloudfront:POST .*")
# One service per process.
pytestmark = pytest.mark.xdist_group("trust")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as running:
        yield running


@pytest.fixture(scope="module")
def plain(world: World) -> Run:
    """A run without faults, which has ended."""
    world.heal()
    world.seed(random.Random(1))
    fields = {"region_type": "pop", "region": ["SIN2-P1", "ICN51-C1", "SYD1-C1"], "invalidate": True}
    run = Run(world, Shape(14, fields), world.paths(14))
    run.start()
    run.follow()
    run.settle()
    return run


def problems_of(run: Run) -> list[str]:
    return recount(run, leftovers=False, copies=run.world.edge.copies()).problems


def test_every_write_of_a_run_is_in_the_matrix(plain: Run) -> None:
    known = [re.compile(write) for writes in WRITES.values() for write in writes]
    written = [call for call in plain.world.aws.calls if WRITING.fullmatch(call)]
    assert [call for call in written if not any(each.fullmatch(call) for each in known)] == []
    assert len(written) > 15


def test_recount_finds_no_problem_without_faults(plain: Run) -> None:
    assert problems_of(plain) == []
    assert plain.polls[-1].document["status"] == "COMPLETED"


def test_recount_reports_a_summary_that_counts_wrongly(plain: Run) -> None:
    summary = json.loads(plain.document("summary.json") or b"")
    wrong = summary | {"outcomes": summary["outcomes"] | {"warmed": 41}}
    with changed(plain, "summary.json", json.dumps(wrong).encode()):
        assert any(problem.startswith("summary: outcomes") for problem in problems_of(plain))


def test_recount_reports_lost_and_repeated_targets(plain: Run) -> None:
    key = next(key for key in keys_of(plain) if "/records/" in key)
    name = key.removeprefix(f"runs/{plain.name}/")
    lines = gzip.decompress(plain.document(name) or b"").splitlines(keepends=True)
    with changed(plain, name, gzip.compress(b"".join(lines[1:]))):
        assert any("targets" in problem for problem in problems_of(plain))
    with changed(plain, name, gzip.compress(b"".join([*lines[1:], lines[1]]))):
        assert any("has two outcomes" in problem for problem in problems_of(plain))


def test_recount_reports_records_that_no_part_names(plain: Run) -> None:
    with changed(plain, "records/000000/9-stray.jsonl.gz", b""):
        assert any("no part names" in problem for problem in problems_of(plain))


def test_recount_reports_a_url_that_leaves_a_final_list(plain: Run) -> None:
    last = plain.polls[-1].document
    earlier = last | {"failedUrl": last["successUrl"][:1], "successUrl": last["successUrl"][1:]}
    plain.polls[-1].document = earlier
    plain.poll()
    found = plain.poll_problems()
    plain.polls[-2].document = last
    assert any("left failedUrl" in problem for problem in found)


def test_recount_reports_green_and_cold_as_the_last_check(plain: Run) -> None:
    copies = plain.world.edge.copies()
    copies["ICN51-C1"].discard((plain.paths[3], "br,gzip"))
    found = recount(plain, leftovers=False, copies=copies).problems
    assert [problem for problem in found if problem.startswith("GREEN AND COLD: 1 targets")] == found != []


@pytest.mark.parametrize("case", [case for case in CASES if case.quick], ids=lambda case: case.name)
def test_run_under_a_fault_agrees_with_itself_and_the_edge(world: World, case: Case) -> None:
    outcome = perform(world, case, SEED)
    assert outcome.problems == [], f"replay: {outcome.replay}"


def test_case_whose_fault_does_not_happen_fails(world: World) -> None:
    outcome = perform(world, Case("nothing", "nothing", lambda scene: None, drive=follow_all), SEED)
    assert outcome.problems == ["the fault did not happen"]


def test_names_of_cases_are_unique_and_there_are_at_least_sixty() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 60


def test_figures_replace_those_between_the_markers_only() -> None:
    first = put_between("# Reliability\n\nPromises.\n", "| 1 |")
    assert put_between(first, "| 2 |") == first.replace("| 1 |", "| 2 |")
    assert first.startswith("# Reliability\n\nPromises.\n\n## Fault matrix\n")
    assert first.index(BEGIN) < first.index("| 1 |") < first.index(END)
    assert PAGE.name == "reliability.md"


def keys_of(run: Run) -> list[str]:
    listed = run.world.s3.list_objects_v2(Bucket=run.world.stack.bucket, Prefix=f"runs/{run.name}/")
    return [entry["Key"] for entry in listed["Contents"]]


class changed:  # noqa: N801  used like a function
    """Replace a document of a run while the context is open."""

    def __init__(self, run: Run, name: str, body: bytes) -> None:
        self._run, self._name, self._body = run, name, body
        self._old = run.document(name)
        self._where = {"Bucket": run.world.stack.bucket, "Key": f"runs/{run.name}/{name}"}

    def __enter__(self) -> None:
        self._run.world.s3.put_object(Body=self._body, **self._where)

    def __exit__(self, *_: object) -> None:
        if self._old is None:
            self._run.world.s3.delete_object(**self._where)
        else:
            self._run.world.s3.put_object(Body=self._old, **self._where)
