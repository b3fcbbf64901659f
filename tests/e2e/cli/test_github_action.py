"""action.yml's steps against the whole service: outputs, summary, report, and inputs that try to run something."""

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.support.composite_action import Job, runner_environment
from tests.support.definitions import ROOT
from tests.support.service import COMMANDS_SERVICE, HOST, Service

pytestmark = COMMANDS_SERVICE

INSTALL, WARM = 0, 1
URLS = [f"https://{HOST}/page/{number}.html" for number in range(54, 57)]
ABSENT = f"https://{HOST}/absent-action.html"


@pytest.fixture(scope="module")
def job(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job in which the action has installed the client from this checkout."""
    temp = tmp_path_factory.mktemp("runner")
    key = {"PREWARM_API_URL": service.ready["api"], "PREWARM_API_KEY": service.ready["apiKey"]}
    made = Job(temp, runner_environment(GITHUB_REPOSITORY="acme/shop", GITHUB_SHA="4f2a91c07d", **key))
    assert made.run(INSTALL) == 0, made.log
    return made


def test_run_that_is_not_warm_fails_the_step_with_outputs_report_and_summary(service: Service, job: Job) -> None:
    hostile = """$(touch pwned) `touch pwned` "; touch pwned; '--region=all"""
    urls = "\n".join([f"{URLS[0]} # a comment", URLS[1], ABSENT])
    assert job.run(WARM, urls=urls, locations="country: singapore", label=hostile, wait="true", fail_on="any") == 1
    assert not (job.temp / "pwned").exists()
    assert job.outputs["status"] == "FAILED"
    assert Path(job.outputs["report"]).read_text().startswith("<!doctype html>")
    (listed,) = service.call("GET", "/runs", label=hostile)["runs"]
    assert (listed["requestID"], listed["total"], listed["warm"]) == (job.outputs["requestID"], 3, 2)
    assert "<h3>Prewarm: FAILED</h3>" in job.summary
    assert ABSENT in job.summary
    assert "::error title=Not warm::" in job.log


def test_file_of_urls_is_started_without_a_wait_and_with_the_inputs_connection(service: Service, job: Job) -> None:
    (job.temp / "urls.txt").write_text("\n".join(URLS))
    connection = {"api_url": service.ready["api"], "api_key": service.ready["apiKey"]}
    other = Job(job.temp, job.environment | {"PREWARM_API_KEY": "wrong", "PREWARM_FUNCTION": "wrong"})
    code = other.run(WARM, file="urls.txt", locations="SIN2-C1", wait="false", **connection)
    assert code == 0, other.log
    assert (other.outputs["status"], other.outputs["report"]) == ("IN_PROGRESS", "")
    assert f"::add-mask::{service.ready['apiKey']}" in other.log
    assert service.statuses(other.outputs["requestID"])[-1]["status"] == "COMPLETED"


def test_warm_run_by_the_function_passes(service: Service, job: Job) -> None:
    functions = service.client("lambda").list_functions()["Functions"]
    (arn,) = [each["FunctionArn"] for each in functions if "ApiFunction" in each["FunctionName"]]
    aws = {"AWS_ENDPOINT_URL": service.ready["endpoint"], "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    other = Job(job.temp, job.environment | aws)
    code = other.run(WARM, urls=URLS[2], locations="country:singapore", function=arn)
    assert (code, other.outputs["status"]) == (0, "COMPLETED"), other.log
    assert service.call("GET", "/runs", limit="1")["runs"][0]["startedBy"] == "iam"


def test_bad_input_fails_the_step_with_an_annotation(job: Job) -> None:
    for inputs in ({"wait": "maybe"}, {"locations": "continent: europe"}, {"locations": "apca"}, {"locations": "eu"}):
        other = Job(job.temp, job.environment)
        urls = "" if inputs == {"locations": "eu"} else URLS[0]
        assert other.run(WARM, urls=urls, **inputs) == 2, inputs
        assert "::error title=prewarm::" in other.log
        assert other.outputs["requestID"] == ""


def test_action_installs_the_locked_versions(job: Job) -> None:
    folder = job.temp / "prewarm-action"
    (packages,) = folder.glob("lib/python3*/site-packages")
    installed = {each.name.lower().replace("_", "-"): each.version for each in distributions(path=[str(packages)])}
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / "requirements/local.txt").read_text(), re.MULTILINE))
    unlocked = installed.keys() - locked.keys()
    assert unlocked <= {"cloudfront-prewarm", "pip", "setuptools", "uv", "wheel"}
    assert {name: installed[name] for name in installed.keys() - unlocked} == {
        name: locked[name] for name in installed.keys() - unlocked
    }
    assert "boto3" in installed
