"""The command on CI servers: labels, annotations, summaries, sections, links; and the price of a run everywhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.integration.cli.test_terminal_widths import DRY_RUN
from tests.support.fake_api import RUN, URL, FakeApi, error, fake_api, prewarm
from tests.support.statuses import status, warm_status
from tests.support.terminal_widths import terminal_of

EVERYWHERE = ["https://www.example.com/", "--region", "all"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        served.responses["POST /prewarm"] = [(200, {"requestID": RUN})]
        served.responses["GET /status"] = [(200, status())]
        yield served


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Set the variables of GitHub Actions, and return the summary's file."""
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_SHA": "4f2a91c07d5e6f"}
    for name, value in (variables | {"GITHUB_RUN_ID": "6789"}).items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "summary.md"
    file.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    return file


def test_every_output_of_a_run_names_its_page(api: FakeApi, tmp_path: Path) -> None:
    page = f"{api.url}/#/run/the-run"
    api.responses["POST /retry"] = [(200, {"requestID": RUN, "retryOf": RUN, "urls": 7})]
    api.responses["DELETE /prewarm"] = [(200, status())]
    assert f"page: {page}" in prewarm("start", *URL).stderr
    assert f"page: {page}" in prewarm("retry", "the-run").stderr
    assert f"page: {page}" in prewarm("cancel", "the-run").stderr
    assert f"page     {page}" in prewarm("status", RUN).stdout
    file, links = tmp_path / "junit.xml", tmp_path / "links.json"
    shown = prewarm("watch", "the-run", "--junit", str(file), "--gitlab-links", str(links), code=1).stdout
    assert f"page     {page}" in shown
    suite = ET.parse(file).find("testsuite")
    assert suite is not None
    assert {each.get("name"): each.get("value") for each in suite.iter("property")}["page"] == page
    assert page in str(suite.findtext("system-out"))
    (link,) = json.loads(links.read_text())["CloudFront Prewarm"]
    assert link == {"external_link": {"label": "Run the-run", "url": page}}


def test_github_gets_label_annotations_and_summary(api: FakeApi, github: Path) -> None:
    shown = prewarm("start", *URL, "--wait", code=1)
    assert json.loads(api.calls[0].body)["label"] == "acme/shop 4f2a91c07d GitHub 6789"
    (annotation,) = [line for line in shown.stderr.splitlines() if line.startswith("::")]
    assert annotation.startswith("::error title=Not warm::")
    assert "::" not in shown.stdout.replace("https://", "")
    text = github.read_text()
    assert text.startswith("# before\n")
    assert f'href="{api.url}/#/run/the-run"' in text


def test_command_that_fails_is_an_annotation_on_github(api: FakeApi, github: Path) -> None:
    api.responses["GET /status"] = [(404, error("RunNotFound", "run not found: 100 %\nsecond line"))]
    shown = prewarm("status", "x", code=2).stderr
    assert shown == "::error title=prewarm::run not found: 100 %25%0Asecond line\n"


def test_summary_that_cannot_be_written_fails_no_run(
    api: FakeApi, github: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(github.parent))
    api.responses["GET /status"] = [(200, warm_status())]
    assert "is a directory" in prewarm("watch", "the-run").stderr


def test_own_label_is_kept_and_an_idempotency_key_leaves_the_pipeline_out(api: FakeApi, github: Path) -> None:
    prewarm("start", *URL, "--label", "release 7")
    prewarm("start", *URL, "--idempotency-key", "mine")
    prewarm("start", *URL, "--label", "")
    labels = [json.loads(call.body).get("label") for call in api.calls]
    assert labels == ["release 7", "acme/shop 4f2a91c07d", None]


def test_service_without_labels_gets_the_request_without_the_automatic_one(api: FakeApi, github: Path) -> None:
    unknown = error("InvalidRequest", "label: unknown field", {"field": "label", "message": "unknown field"})
    api.responses["POST /prewarm"] = [(400, unknown), (200, {"requestID": RUN})]
    assert prewarm("start", *URL).stdout == f"{RUN}\n"
    assert "label" not in json.loads(api.calls[1].body)
    assert len({call.headers["idempotency-key"] for call in api.calls}) == 1
    api.responses["POST /prewarm"] = [(400, unknown)]
    assert "--label: unknown field" in prewarm("start", *URL, "--label", "mine", code=2).stderr


def test_gitlab_log_has_a_section_around_the_wait(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    shown = prewarm("watch", "the-run", code=1).stdout
    start, end = shown.index("section_start:"), shown.index("section_end:")
    assert start < end < shown.index("FAILED: 1 of 2")
    assert "\r\x1b[0KWarming: " in shown
    json.loads(prewarm("start", *URL, "--wait", "--json", code=1).stdout)


def test_run_everywhere_prints_its_price_before_it_starts(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [(200, {"dryRun": DRY_RUN}), (200, {"requestID": RUN})]
    shown = prewarm("start", *EVERYWHERE).stderr
    price = "about $0.0042 without transfer: size unknown"
    assert shown.startswith(f"every POP: 3 URLs through 1 POP, 33 fetches: {price}")
    assert [json.loads(call.body).get("dry_run") for call in api.calls] == [True, None]


def test_run_everywhere_with_yes_starts_at_once(api: FakeApi) -> None:
    prewarm("start", *EVERYWHERE, "--yes")
    assert len(api.calls) == 1


@pytest.mark.parametrize(("answer", "started"), [("y\n", 1), ("n\n", 0)])
def test_run_everywhere_asks_on_a_terminal(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, answer: str, started: int
) -> None:
    api.responses["POST /prewarm"] = [(200, {"dryRun": DRY_RUN}), (200, {"requestID": RUN})]
    terminal_of(monkeypatch, 80)
    prewarm("start", *EVERYWHERE, stdin=answer, code=0 if started else 130)
    assert len(api.calls) == 1 + started


def test_run_everywhere_whose_price_is_unknown_starts_anyway(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [(500, error("ServiceError", "failed")), (200, {"requestID": RUN})]
    assert "the price cannot be estimated now" in prewarm("start", *EVERYWHERE).stderr


def test_dry_run_that_becomes_a_run_gives_the_price_at_its_end(api: FakeApi) -> None:
    ended = status(status="COMPLETED", failedUrl=[], failures=[], dryRun=DRY_RUN)
    api.responses["GET /status"] = [(200, ended)]
    assert "about $0.0042" in prewarm("start", *EVERYWHERE).stderr
