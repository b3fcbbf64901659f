"""How the suite stays fast: how it is divided between workers, how many examples a property gets, what is not traced.

A file runs on one of pytest-xdist's workers, so that fixtures of a module are set up once. The longest groups start
first: started last, a group of a minute would leave the other worker idle.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from coverage import Coverage
from hypothesis import is_hypothesis_test, settings
from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

# Groups and files that take ten seconds and more, the longest first (`--durations 50` shows the tests').
LONGEST = (
    "commands",
    "service",
    "trust",
    "dashboard",
    "sam",
    "resolving",
    "test_item_size.py",
    "test_package.py",
    "test_limits.py",
    "test_outcomes.py",
    "test_redrive.py",
    "nginx",
    "doctor",
    "demo",
    "test_bounded_reading.py",
    "wheel",
    "test_ownership.py",
    "test_double_delivery.py",
    "test_origin_protection.py",
)
_HERE = Path(__file__).parent
_FUNCTIONS = _HERE.parent / "functions"
# Not traced, nor are property tests: half a million records, thousands of store calls, of which the coverage tracer
# trebles the time. Other tests execute the same lines.
MANY_CALLS = tuple(
    _HERE / file
    for file in (
        "integration/warm/test_double_delivery.py",
        "integration/warm/test_ownership.py",
        "unit/prewarm/storage/test_item_size.py",
        "unit/warm/test_shared_rate.py",
    )
)
# Tests of what is not deployed, or of functions in other processes, which are not traced: coverage is measured of
# `functions` only, and its tracer costs each Python call of the embedded stack, the command and the validators.
NOT_OF_FUNCTIONS = tuple(
    _HERE / folder
    for folder in (
        "contract/docs",
        "contract/packaging",
        "contract/statemachine",
        "contract/template",
        "e2e",
        "fuzz",
        "integration/edge",
        "integration/stack",
        "integration/tools",
        "trust",
        "unit/bench",
        "unit/prewarm_cli",
        "unit/prewarm_local",
    )
)

# `--hypothesis-profile=thorough` (the nightly workflow) looks longer than `make test`, which runs the quick profile.
# A test's own max_examples is its count in neither: it is multiplied by the profile's share of hypothesis' default.
# With CI=true hypothesis' own profile, the parent, chooses the same examples each time; the thorough one never does.
settings.register_profile("quick", settings(), max_examples=30, deadline=None)
settings.register_profile("thorough", settings(), max_examples=500, deadline=None, derandomize=False)
settings.load_profile("quick")
# Python's default is 700.
_OBJECTS_PER_COLLECTION = 10_000
_DEFAULT_EXAMPLES, _FEWEST_EXAMPLES = 100, 10


_TRACED = pytest.StashKey[bool]()


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(_group(item), len(ranks)))
    for item in items:
        item.stash[_TRACED] = not (
            any(map(item.path.is_relative_to, (*MANY_CALLS, *NOT_OF_FUNCTIONS)))
            or (isinstance(item, pytest.Function) and is_hypothesis_test(item.function))
        )
    for function in {item.function for item in items if isinstance(item, pytest.Function)}:
        if is_hypothesis_test(function):
            _scale(function)


def _scale(function: Any) -> None:
    """Multiply the number of examples that a test has set itself by the profile's share of the default."""
    own, profile = function._hypothesis_internal_use_settings, settings()
    if own is not profile and own.max_examples != profile.max_examples:
        examples = max(_FEWEST_EXAMPLES, own.max_examples * profile.max_examples // _DEFAULT_EXAMPLES)
        function._hypothesis_internal_use_settings = settings(own, max_examples=examples)


def pytest_collection_finish() -> None:
    """Exclude what exists from Python's garbage collections: modules and tests, a million objects of each process.

    A full collection of them takes half a second, and the tests would cause hundreds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure no coverage of a test outside the traced ones, nor of the fixtures and threads that it starts.

    pytest-cov's mark `no_cover` has no effect in a worker of pytest-xdist: two measurements run there, and the mark
    stops only the inner one. It also leaves fixtures traced.
    """
    if item.stash[_TRACED]:
        return (yield)
    with _untraced():
        return (yield)


@contextmanager
def _untraced() -> Iterator[None]:
    stopped = []
    while (running := Coverage.current()) is not None:
        running.stop()
        stopped.append(running)
    try:
        yield
    finally:
        for each in reversed(stopped):
            each.start()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Measure no coverage of the tests' own imports, which would take three times as long.

    The lines that the deployed modules run when they are imported count, so these are imported before, in the process
    that starts pytest-xdist's workers.
    """
    if Coverage.current() is not None and not hasattr(session.config, "workerinput"):
        for path in sorted(_FUNCTIONS.rglob("*.py")):
            parts = path.relative_to(_FUNCTIONS).with_suffix("").parts
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
    with _untraced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Fail the last test of a group that leaves its embedded stack running: one process can run only one.

    Without this check a test of another group would fail, or none, depending on how the groups were divided.
    A fixture of a package does this in a folder without __init__.py: pytest ends it with the session.
    """
    yield
    stack = sys.modules.get("prewarm_local.stack.aws")
    if stack is None or (nextitem is not None and _group(nextitem) == _group(item)):
        return
    assert not stack._in_use.locked(), f"{_group(item)} ended and its embedded stack still runs"


class _GroupsAndFiles(LoadGroupScheduling):
    """Assign a group, or else a file, to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        scope = super()._split_scope(nodeid)
        return nodeid.split("::", 1)[0] if scope == nodeid else scope


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> LoadGroupScheduling | None:
    if config.getvalue("dist") != "loadgroup":
        return None
    # In the order above, and not by the number of tests.
    config.option.loadscopereorder = False
    return _GroupsAndFiles(config, log)
