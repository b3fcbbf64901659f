"""Arguments that are empty, have no effect, or name a run in another form."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_api import RUN, URL, FakeApi, fake_api, prewarm
from tests.support.statuses import status

TARGETS = "url,pop\nhttps://www.example.com/a,NRT57-P3\n"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("{api}/#/run/the-run", "the-run"),
        ("https://d1.cloudfront.net/v1/#/run/20261124T013829Z-c0af4526", "20261124T013829Z-c0af4526"),
        ("  the-run\n", "the-run"),
        (RUN, RUN),
    ],
)
def test_run_is_found_by_its_page_too(api: FakeApi, given: str, sent: str) -> None:
    api.responses["GET /status"] = [(200, status())]
    prewarm("status", given.format(api=api.url))
    assert api.calls[0].query["requestID"] == sent


@pytest.mark.parametrize("given", ["", " ", "two words", "a\x07b", "https://www.example.com/", "http://a/#/new"])
@pytest.mark.parametrize("command", ["status", "watch", "report", "cancel", "retry"])
def test_argument_that_cannot_be_a_run_is_refused_without_a_call(api: FakeApi, command: str, given: str) -> None:
    shown = prewarm(command, given, code=2).stderr
    assert shown.startswith("prewarm: ID: ")
    assert "pass a run's requestID, its name or its page's address" in shown
    assert api.calls == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["start", *URL, "--file", ""],
        ["start", *URL, "--file="],
        ["start", *URL, "-f", ""],
        ["start", *URL, "--wait", "--junit", ""],
        ["start", "--request", ""],
        ["report", "the-run", "-o", ""],
        ["doctor", "--report", ""],
        ["traffic", "logs", "--output", ""],
    ],
    ids=" ".join,
)
def test_empty_name_of_a_file_is_refused_with_its_option(api: FakeApi, arguments: list[str]) -> None:
    option = next(each for each in reversed(arguments) if each.startswith("-")).rstrip("=")
    shown = prewarm(*arguments, code=2).stderr
    assert option in shown
    assert "is empty; pass the name of a file" in shown
    assert api.calls == []


@pytest.mark.parametrize("link", [False, True], ids=["the file", "a link to it"])
def test_output_that_is_an_input_is_refused_and_kept(api: FakeApi, tmp_path: Path, *, link: bool) -> None:
    urls, output = tmp_path / "urls.html", tmp_path / ("latest.html" if link else "urls.html")
    urls.write_text(f"{URL[0]}\n")
    if link:
        output.symlink_to(urls)
    for option in ("--junit", "--report", "--gitlab-links"):
        result = prewarm("start", "--file", str(urls), *URL[1:], "--wait", option, str(output), code=2)
        assert f"{option} {output}: is the file of --file; name another file" in result.stderr
    assert (urls.read_text(), api.calls) == (f"{URL[0]}\n", [])


def test_two_outputs_in_one_file_are_refused(api: FakeApi, tmp_path: Path) -> None:
    path = str(tmp_path / "x.html")
    shown = prewarm("start", *URL, "--wait", "--junit", path, "--report", path, code=2).stderr
    assert f"--report {path}: is the file of --junit; name another file" in shown
    assert api.calls == []


def test_empty_log_of_traffic_is_refused() -> None:
    assert "LOG: is empty" in prewarm("traffic", "", code=2).stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sitemap", "https://www.example.com/s.xml"], "--targets and --sitemap cannot be combined"),
        (["--manifest", "https://www.example.com/m.mpd"], "--targets and --manifest cannot be combined"),
        (["--url-list-s3", "s3://bucket/list"], "--targets and --url-list-s3 cannot be combined"),
        (["--tier", "regional"], "--targets and --tier regional cannot be combined"),
    ],
)
def test_targets_next_to_another_source_are_refused_before_the_upload(
    api: FakeApi, tmp_path: Path, options: list[str], words: str
) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(TARGETS)
    assert words in prewarm("start", "--targets", str(file), *options, code=2).stderr
    assert api.calls == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url,pop\n", "contains no targets"),
        (f"{TARGETS}ftp://www.example.com/b,NRT57-P3\n", "line 3: 'ftp://www.example.com/b' is not an http or https"),
    ],
)
def test_targets_that_cannot_be_warmed_are_refused_before_the_upload(
    api: FakeApi, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(text)
    shown = prewarm("start", "--targets", str(file), code=2).stderr
    assert f"--targets {file}: {words}" in shown
    assert api.calls == []


@pytest.mark.parametrize(
    ("option", "value"), [("--status", "FAILED"), ("--host", "a.example"), ("--limit", "5"), ("--label", "x")]
)
def test_list_of_a_url_refuses_options_without_effect(api: FakeApi, option: str, value: str) -> None:
    shown = prewarm("list", "--url", URL[0], option, value, code=2).stderr
    assert f"--url: prints the history of one URL; leave out {option}" in shown
    assert api.calls == []


def test_list_finds_a_host_with_a_final_dot(api: FakeApi) -> None:
    api.responses["GET /runs"] = [(200, {"runs": []})]
    prewarm("list", "--host", "www.example.com.")
    assert (api.calls[0].query["host"], api.calls[0].query["limit"]) == ("www.example.com", "20")


def test_port_that_does_not_exist_is_an_address_that_is_not_valid(api: FakeApi) -> None:
    shown = prewarm("list", "--api-url", "https://api.example.com:99999/v1", "--api-key", "k", code=2).stderr
    assert "is not an API address" in shown
