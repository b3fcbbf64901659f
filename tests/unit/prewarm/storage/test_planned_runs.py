"""A process reads the plan's batches and URLs of a run once."""

from dataclasses import replace
from typing import Any

import pytest

from prewarm.planning.plan import Plan
from prewarm.storage import planned_runs
from prewarm.storage.planned_runs import PlannedRuns
from tests.support.builders import plan as plan_of

PLAN = plan_of(url_count=1, attempt="first")


class Documents(PlannedRuns):
    """The documents of any run; it counts how often its URLs are read."""

    def __init__(self) -> None:
        self.read = 0

    def get_urls(self, run: str) -> list[str]:
        self.read += 1
        return [f"https://www.example.com/{run}"]

    def get_fetched(self, run: str, respelled: int) -> dict[int, str]:
        return {}


def test_the_same_plan_is_read_once() -> None:
    documents = Documents()
    first = documents.get_planned(PLAN)
    assert documents.get_planned(replace(PLAN)) is first
    assert (documents.read, first.urls) == (1, ["https://www.example.com/run"])


@pytest.mark.parametrize("change", [{"attempt": "second"}, {"run": "other"}], ids=str)
def test_another_plan_is_read(change: dict[str, Any]) -> None:
    documents = Documents()
    documents.get_planned(PLAN)
    other = replace(PLAN, **change)
    assert documents.get_planned(other).plan.attempt == other.attempt
    assert documents.get_planned(other).urls == [f"https://www.example.com/{other.run}"]
    assert documents.read == 2


def test_a_plan_of_an_earlier_version_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _reads_of(replace(PLAN, attempt="")) == 2
    monkeypatch.setattr(planned_runs, "MOST_URLS", 0)
    assert _reads_of(PLAN) == 2


def _reads_of(plan: Plan) -> int:
    documents = Documents()
    documents.get_planned(plan)
    documents.get_planned(plan)
    return documents.read
