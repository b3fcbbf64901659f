"""When a run started and ended, as the list of runs shows it: the execution's own times, as in its status."""

from api.runs.list_runs import entry_of
from prewarm.storage.run_items import check_item, end_facts

ITEM = {"sk": "2026-03-01T10:00:00.250Z#run", "name": "run"}
BEGAN, ENDED = 1_772_359_203.9, 1_772_359_236.9  # 10:00:03 to 10:00:36


def test_ended_run_is_listed_with_the_times_of_its_execution() -> None:
    item = ITEM | end_facts("SUCCEEDED", "", ENDED, BEGAN)
    check_item(item)
    listed = entry_of(item, "arn")
    assert (listed["startedAt"], listed["endedAt"]) == ("2026-03-01T10:00:03Z", "2026-03-01T10:00:36Z")


def test_run_whose_end_did_not_record_its_start_is_listed_by_when_it_was_asked_for() -> None:
    item = ITEM | end_facts("SUCCEEDED", "", ENDED)
    check_item(item)
    assert entry_of(item, "arn")["startedAt"] == "2026-03-01T10:00:00Z"
