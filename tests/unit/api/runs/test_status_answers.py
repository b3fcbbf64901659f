"""GET /status: statuses, an example, what happened and what to do, also for runs that were stored earlier."""

from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from api.http.params import api_url_of
from api.schemas.responses import Status
from prewarm.results.batch_result import BatchResult
from prewarm.results.failures import Example
from prewarm.results.stats import PopSums, pack_pops
from tests.support.fake_store import PLAN, RUNNING, URLS, batch, progress_of, status_of
from tests.unit.api.runs.test_progress import NOT_WARM, summary_of

NEW_FIELDS = ("everywhere", "kinds", "statuses", "example")


def missing_file() -> BatchResult:
    return replace(
        batch(1, {"client_error:404": 2}), examples=(Example(1, "B", "client_error", 404, "Error", "Zx9=="),)
    )


def test_running_run_says_what_happened_and_what_to_do() -> None:
    response = status_of(RUNNING, plan=PLAN, results=[batch(0), missing_file()])
    failure = response["failures"][0]
    assert (failure["url"], failure["statuses"], failure["everywhere"]) == (URLS[1], {"404": 2}, True)
    assert failure["what"] == "404 Not Found at all 2 POPs, such as B (X-Cache: Error, x-amz-cf-id Zx9==)"
    assert (failure["example"]["pop"], failure["example"]["requestId"]) == ("B", "Zx9==")
    assert failure["mainFailure"] == "404 Not Found"
    assert failure["nextStep"]["how"] == "publish the file, or take the URL off the list"
    assert response["failedEverywhere"] == 2, "one of them without a distribution"
    assert [(step["outcome"], step["urls"]) for step in response["nextSteps"]] == [
        ("client_error", 1),
        ("no_distribution", 1),
    ]
    Status.model_validate(response)


def test_remedy_of_an_ended_run_is_that_of_its_failures() -> None:
    response = status_of(NOT_WARM, plan=PLAN, results=[batch(0), missing_file(), batch(2)])
    assert response["remedy"]["kind"] == "fix"
    assert response["remedy"]["how"] == "publish the file, or take the URL off the list; then start a new run"
    assert response["remedy"]["link"].endswith("troubleshooting.md#client_error")


def test_run_stored_earlier_is_read_without_the_new_fields() -> None:
    summary = summary_of()
    for name in ("failedEverywhere", "nextSteps", "variants"):
        del summary[name]
    for entry in summary["failures"]:
        for name in NEW_FIELDS:
            del entry[name]
    pops = [{name: pop[name] for name in ("pop", "targets", "done", "warm", "failed", "fetches", "bytes", "meanMs")}
            for pop in summary["pops"]]  # fmt: skip
    response = status_of(NOT_WARM, plan=PLAN, summary=summary)
    failure = response["failures"][0]
    assert (failure["statuses"], failure["example"], failure["everywhere"]) == ({}, None, False)
    assert failure["what"] == "no complete response in time at 1 target"
    assert failure["nextStep"]["outcome"] == "timeout"
    progress = progress_of(NOT_WARM, with_pops=True, plan=PLAN, summary=summary | {"pops": pops})
    assert progress.pops is not None
    assert [(pop["judged"], pop["judgedFailed"], pop["differs"]) for pop in progress.pops] == [
        (pop["targets"], pop["failed"], False) for pop in pops
    ]
    Status.model_validate(response)


def test_pops_of_a_running_run_are_judged_by_the_urls_that_are_warm_somewhere() -> None:
    sums = pack_pops([PopSums(done=1), PopSums(done=1)])
    fine = pack_pops([PopSums(done=1, warm=1), PopSums(done=1, warm=1)])
    results = [replace(batch(0), per_pop=fine), replace(missing_file(), per_pop=sums)]
    progress = progress_of(RUNNING, with_pops=True, plan=PLAN, results=results)
    assert progress.pops is not None
    assert [(pop["judged"], pop["judgedFailed"], pop["differs"]) for pop in progress.pops] == [(2, 0, False)] * 2


@pytest.mark.parametrize(
    ("context", "headers", "url"),
    [
        ({"domainName": "abc.example.com", "path": "/v1/prewarm"}, {}, "https://abc.example.com/v1"),
        ({"domainName": "warm.example.com", "path": "/prewarm"}, {}, "https://warm.example.com"),
        ({"domainName": "warm.example.com", "path": "/cdn/retry"}, {}, "https://warm.example.com/cdn"),
        (
            {"domainName": "127.0.0.1:8", "path": "/v1/prewarm"},
            {"X-Forwarded-Proto": "http"},
            "http://127.0.0.1:8/v1",
        ),
        ({"path": "/v1/prewarm"}, {}, ""),
        ({}, {}, ""),
    ],
)
def test_address_of_the_api_is_the_one_that_was_asked(
    context: dict[str, Any], headers: dict[str, str], url: str
) -> None:
    assert api_url_of(APIGatewayProxyEvent({"requestContext": context, "headers": headers})) == url


def test_gain_comes_from_the_summary_or_of_a_running_run_from_its_parts_on_request() -> None:
    results = [replace(batch(0), gain="ATL 2 1 30:1"), replace(batch(1), gain="NRT 4 0 30:3")]
    running = progress_of(RUNNING, with_pops=True, plan=PLAN, results=results).gain
    assert running is not None
    assert (running["fetched"], running["warmBefore"], running["pairs"]) == (6, 1, 4)
    assert {entry["region"]: entry["pairs"] for entry in running["regions"]} == {
        "United States, Mexico, Canada": 1,
        "Japan": 3,
    }
    assert "gain" not in status_of(RUNNING, plan=PLAN, results=results), "a poll does not read it"
    ended = status_of(NOT_WARM, plan=PLAN, results=results)
    assert ended["gain"] == running
    stored = status_of(NOT_WARM, plan=PLAN, summary=summary_of(gain=running))
    assert stored["gain"] == running
    Status.model_validate(stored)


def test_run_stored_earlier_has_no_gain() -> None:
    assert "gain" not in status_of(NOT_WARM, plan=PLAN, summary=summary_of())
    assert "gain" not in status_of(NOT_WARM, plan=PLAN, results=[batch(0), batch(1)])


def test_status_says_how_many_urls_are_failing_and_what_the_targets_are() -> None:
    response = status_of(RUNNING, plan=PLAN, results=[batch(0), batch(1)])
    assert (response["failed"], response["failing"]) == (len(response["failedUrl"]), 0)
    assert (response["targets"]["popsPerUrl"], response["targets"]["variants"]) == (2, 1)
    older = summary_of()
    del older["variants"]
    older.pop("popsPerUrl", None)
    targets = status_of(NOT_WARM, plan=PLAN, summary=older)["targets"]
    assert (targets["popsPerUrl"], targets["variants"]) == (None, 0)
