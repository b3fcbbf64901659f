import dataclasses
import json

import pytest

from bench.section import Machine, Result, Section, Target, figure, percent, spread

MACHINE = Machine("2026-11-26 10:00 UTC", 12.0, (0.5, 1.9), 2, "x86_64", "3.11.2")


@pytest.mark.parametrize(
    ("target", "met", "verdict"),
    [
        (Target("CPU", 1.2, 1.6), True, "met, 25 % below"),
        (Target("CPU", 1.6, 1.6), True, "met"),
        (Target("CPU", 2.0, 1.6), False, "missed by 25 %"),
        (Target("CPU", 1.6008, 1.6), False, "missed by less than 0.1 %"),
        (Target("CPU", 2.0, 1.6, why="headers are parsed"), False, "missed by 25 %: headers are parsed"),
        (Target("rate", 0.99, 0.9, at_least=True), True, "met, 10 % above"),
        (Target("rate", 0.45, 0.9, at_least=True), False, "missed by 50 %"),
        (Target("seconds over the limit", 0.0, 0.0, " s"), True, "met"),
        (Target("seconds over the limit", 3.0, 0.0, " s"), False, "missed by 3 s"),
        (Target("CPU", None, 1.0, why="curl is not installed"), False, "not measured: curl is not installed"),
        (Target("rate", None, 1.0, at_least=True), False, "not measured: no figure"),
    ],
)
def test_a_target_is_met_or_missed_by_its_distance_from_the_bound(target: Target, met: bool, verdict: str) -> None:
    assert (target.met, target.verdict) == (met, verdict)


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="Speed: 2 columns, but a row has 1"):
        Section("Speed", ("client", "rate"), (("curl",),))


def test_a_result_is_the_same_after_it_was_stored() -> None:
    section = Section(
        "Speed", ("client", "rate"), (("curl", "12"),), ("A note.",), (Target("rate", None, 2.0, why="none"),),
        {"curl": "7.88.1"}, {"curl": [11.0, 12.0]},
    )  # fmt: skip
    for result in (Result(section, MACHINE), Result(section, MACHINE, "10:05: it hung"), Result(failed="no nginx")):
        assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_the_machine_is_described_with_its_load_before_and_after() -> None:
    assert "2 cores (x86_64, Python 3.11.2) in 12 s; load average 0.5 before and 1.9 after" in str(MACHINE)
    assert "in 1,200 s" in str(dataclasses.replace(MACHINE, seconds=1200))


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23"), (0.01234, "0.012"), (5.0, "5")]
)
def test_a_figure_has_about_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_percent_never_rounds_a_distance_to_zero() -> None:
    assert [percent(value) for value in (0, 0.01, 3.44, 34.4, 1234)] == [
        "0 %", "less than 0.1 %", "3.4 %", "34 %", "1,234 %",
    ]  # fmt: skip


def test_the_spread_is_the_range_in_percent_of_the_middle() -> None:
    assert spread([9.0, 10.0, 12.0], 10.0) == 30
    assert spread([0.0], 0.0) == 0
