"""The action's inputs as arguments of the command, and its outputs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm_cli.ci.github_action import locations_of, set_output, start_arguments, waits
from prewarm_cli.errors import CommandFailed
from tests.support.composite_action import read_outputs


@pytest.mark.parametrize(
    ("text", "locations"),
    [
        ("", []),
        ("eu", [("region", "eu")]),
        ("apac, eu\nall", [("region", "apac"), ("region", "eu"), ("region", "all")]),
        ("country: india, japan", [("country", "india"), ("country", "japan")]),
        ("Country:IN,,", [("country", "IN")]),
        ("ATL56-C1, NRT57-P3", [("pop", "ATL56-C1"), ("pop", "NRT57-P3")]),
        ("pop: nowhere", [("pop", "nowhere")]),
    ],
)
def test_locations_are_regions_countries_or_pops(text: str, locations: list[tuple[str, str]]) -> None:
    assert list(locations_of(text)) == locations


def test_unknown_kind_and_wrong_boolean_are_rejected() -> None:
    with pytest.raises(CommandFailed, match="'city' is not a kind"):
        list(locations_of("city: berlin"))
    with pytest.raises(CommandFailed, match="must be true or false, got 'no'"):
        waits("no")
    assert [waits(text) for text in ("true", "True", "", "false", "FALSE")] == [True, True, True, False, False]


def test_values_that_begin_with_a_dash_are_not_options() -> None:
    inputs = {"URLS": "--help", "FILE": "-x", "LABEL": "--wait", "TARGETS": "t.csv", "FAIL_ON": "none"}
    expected = ["start", "--json", "--file", "-", "--file=-x", "--targets=t.csv", "--label=--wait", "--fail-on=none"]
    assert start_arguments(inputs | {"LOCATIONS": "--yes"}) == [*expected, "--region=--yes"]
    assert start_arguments({}) == ["start", "--json"]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=40)
)
def test_output_of_any_text_sets_one_output(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("out") / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_OUTPUT", str(path))
        set_output("status", value + "\nrequestID=forged")
    assert read_outputs(Path(path).read_text()) == {"status": value + "\nrequestID=forged"}
