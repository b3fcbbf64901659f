"""The examples are valid templates, and start runs with valid requests."""

import json
import re
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from prewarm.request.validation import check_request
from tests.support.definitions import ROOT, lint

EXAMPLES = ROOT / "examples"
TEMPLATES = sorted(EXAMPLES.glob("*.yaml"))
VALUES = {
    "UrlList": "s3://bucket/lists/nightly.txt",
    "Region": "eu",
    "Host": "www.example.com",
}
LITERAL_INPUT = 1_000


# The parser has no type hints.
parse: Any = yaml_parse


def template(name: str) -> Any:
    return parse((EXAMPLES / name).read_text(encoding="utf-8"))


def filled(text: str) -> str:
    """Replace the placeholders as CloudFormation and EventBridge do."""
    text = re.sub(r"\$\{(\w+)\}", lambda match: VALUES[match[1]], text)
    return text.replace("<key>", "video/film.mp4")


@pytest.mark.parametrize("path", TEMPLATES, ids=[path.name for path in TEMPLATES])
def test_example_template_passes_cfn_lint(path: Any) -> None:
    assert lint(path, regions=("eu-central-1",)) == set()


def test_schedule_input_is_a_valid_request() -> None:
    target = template("nightly.yaml")["Resources"]["Nightly"]["Properties"]["Target"]
    checked = check_request(json.loads(filled(target["Input"]["Fn::Sub"])), direct=True)
    assert checked.fields.url_list_s3 is not None
    assert len(target["Input"]["Fn::Sub"]) < LITERAL_INPUT


def test_upload_rule_input_is_a_valid_request() -> None:
    (target,) = template("on-upload.yaml")["Resources"]["Uploaded"]["Properties"]["Targets"]
    text = filled(target["InputTransformer"]["InputTemplate"]["Fn::Sub"])
    checked = check_request(json.loads(text), direct=True)
    assert [url.given for url in checked.urls] == ["https://www.example.com/video/film.mp4"]


def test_pipeline_example_request_is_valid() -> None:
    comment = (EXAMPLES / "codepipeline.yaml").read_text(encoding="utf-8")
    lines = [line.removeprefix("#").strip() for line in comment.splitlines() if line.startswith("#   ")]
    assert check_request(json.loads(" ".join(lines)), direct=True).fields.invalidate
    (action,) = template("codepipeline.yaml")["Resources"]["Pipeline"]["Properties"]["Stages"][-1]["Actions"]
    assert action["ActionTypeId"]["Provider"] == "StepFunctions"
    assert (action["Configuration"]["InputType"], action["Configuration"]["Input"]) == ("FilePath", "prewarm.json")


def test_workflow_installs_the_command_and_names_its_variables() -> None:
    job = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text(encoding="utf-8"))["jobs"]["warm"]
    assert set(job["env"]) == {"PREWARM_API_URL", "PREWARM_API_KEY"}
    assert "pipx install cloudfront-prewarm" in [step.get("run") for step in job["steps"]]
