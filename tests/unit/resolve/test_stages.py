"""The values that the stages of resolving pass on."""

import pytest

from resolve.stages import PROBE_PATH, MatchedGroup
from tests.support.builders import DISTRIBUTION, parsed
from tests.support.planning import planned


def test_probe_asks_for_no_target_on_the_first_https_url_s_host() -> None:
    plain, secure = parsed("http://www.example.com/1", "https://www.example.com/2")
    assert MatchedGroup(DISTRIBUTION, [plain, secure]).probe_url() == f"https://www.example.com{PROBE_PATH}"
    assert MatchedGroup(DISTRIBUTION, [plain]).probe_url() == f"http://www.example.com{PROBE_PATH}"


def test_map_items_contain_their_batch_and_no_secret() -> None:
    run = planned(url_list=["https://www.example.com/?token=s3cret"])
    (item,) = run.items(run.stages[0])
    assert item["id"] == "1-000000"
    assert "s3cret" not in str(item)


def test_stage_values_cannot_be_changed() -> None:
    run = planned()
    with pytest.raises(AttributeError):
        run.plan = run.plan  # type: ignore[misc]
