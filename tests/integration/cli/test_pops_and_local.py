"""`prewarm pops` and `prewarm local` with bad input and on narrow terminals."""

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
def test_pops_with_bad_input_prints_an_error_document(arguments: list[str]) -> None:
    result = prewarm("pops", *arguments, "--json", code=2)
    assert json.loads(result.stdout)["error"]["code"] == "BadInput"
    assert result.stderr.startswith("prewarm: ")


def test_pops_without_command_lists_all_pops() -> None:
    assert [row["id"] for row in json.loads(prewarm("pops", "--json").stdout)] == list(catalogue().pops)
    assert f"{len(catalogue().pops)} POPs" in prewarm("pops").stdout
    assert "prewarm pops show --json" in prewarm("pops", "--json", "show", "SYD1-C1", code=2).stderr


@pytest.mark.parametrize("columns", [30, 40, 50, 80])
def test_pop_ids_are_complete_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = prewarm("pops", "list", "--region", "all").stdout.splitlines()
    assert set(catalogue().pops) <= {word for line in lines for word in line.split()}
    assert max(len(line) for line in lines) <= columns


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_local_with_invalid_port_exits_2(port: str) -> None:
    assert "--port" in prewarm("local", "--port", port, code=2).stderr


def test_local_rejects_an_invalid_distribution() -> None:
    assert "'foo' is not a distribution" in prewarm("local", "--distribution", "foo", code=2).stderr
