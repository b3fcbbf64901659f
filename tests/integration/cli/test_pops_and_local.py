"""`prewarm pops` and `prewarm local` at their edges: what is wrong is told as other commands tell it."""

import json

import pytest

from prewarm.catalogue import catalogue
from tests.support.fake_api import prewarm


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--country", "japn"],
        ["list", "--location", "QQQ"],
        ["show", "SYD99-C1"],
    ],
)
def test_what_is_wrong_with_pops_is_a_document_too(arguments: list[str]) -> None:
    result = prewarm("pops", *arguments, "--json", code=2)
    assert json.loads(result.stdout)["error"]["code"] == "BadInput"
    assert result.stderr.startswith("prewarm: ")


def test_pops_alone_lists_them_in_json_as_well() -> None:
    assert [row["id"] for row in json.loads(prewarm("pops", "--json").stdout)] == list(catalogue().pops)
    assert f"{len(catalogue().pops)} POPs" in prewarm("pops").stdout
    assert "prewarm pops show --json" in prewarm("pops", "--json", "show", "SYD1-C1", code=2).stderr


@pytest.mark.parametrize("columns", [30, 40, 50, 80])
def test_ids_are_whole_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = prewarm("pops", "list", "--region", "all").stdout.splitlines()
    assert set(catalogue().pops) <= {word for line in lines for word in line.split()}
    assert max(len(line) for line in lines) <= columns


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none_is_exit_2(port: str) -> None:
    assert "--port" in prewarm("local", "--port", port, code=2).stderr


def test_local_refuses_what_is_no_distribution() -> None:
    assert "'foo' is no distribution" in prewarm("local", "--distribution", "foo", code=2).stderr
