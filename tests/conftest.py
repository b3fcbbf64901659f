"""How the suite is divided between pytest-xdist's workers: a file on one worker, the longest groups first.

Fixtures of a module are then set up once. Started last, a group of a minute would leave the other worker idle.
"""

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

# Groups and files that take ten seconds and more, the longest first (`--durations 50` shows the tests').
LONGEST = (
    "service",
    "wheel",
    "nginx",
    "resolving",
    "demo",
    "test_ownership.py",
    "test_double_delivery.py",
    "sam",
    "test_item_size.py",
)


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(_group(item), len(ranks)))


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
