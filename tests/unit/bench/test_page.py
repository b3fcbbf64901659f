import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import bench.__main__ as command
from bench.page import load, page, save
from bench.section import Machine, Result, Section, Target
from tests.support.definitions import ROOT

MACHINE = Machine("2026-11-26 10:00 UTC", 12.0, (0.5, 1.9), 2, "x86_64", "3.11.2")
SPEED = Section(
    "Speed: 1 KB", ("client", "rate"), (("curl", "12"),), ("A note.",),
    (Target("rate", 2.0, 4.0, "/s", at_least=True),), {"curl": "7.88.1"},
)  # fmt: skip
MEMORY = Section("Memory", ("what", "MB"), (("a|b", "3"),), targets=(Target("peak", 100.0, 128.0, " MB"),))


def test_all_targets_stand_in_one_table_before_the_sections() -> None:
    text = page({"speed": Result(SPEED, MACHINE), "memory": Result(MEMORY, MACHINE)})
    head, _, sections = text.partition("\n## Speed: 1 KB\n")
    assert "Versions: curl 7.88.1." in head
    assert "| rate | at least 4/s | 2/s | **missed by 50 %** | [Speed: 1 KB](#speed-1-kb) |" in head
    assert "| peak | at most 128 MB | 100 MB | met, 22 % below | [Memory](#memory) |" in head
    assert sections.index("| curl | 12 |") < sections.index("## Memory")
    assert "`make bench ARGS='--only memory'`" in sections
    assert "| a\\|b | 3 |" in sections


def test_a_section_whose_last_try_failed_keeps_its_figures_and_has_the_reason() -> None:
    text = page({"speed": Result(SPEED, MACHINE, "2026-11-27 10:00 UTC: nginx did not come up")})
    assert "**The last try failed, and these are the figures before it**: 2026-11-27 10:00 UTC: nginx" in text
    assert "| curl | 12 |" in text


def test_a_section_that_never_ran_has_the_reason_in_its_place() -> None:
    assert "## speed\n\n**Not measured**: nginx is not installed" in page(
        {"speed": Result(failed="nginx is not installed")}
    )


def test_results_are_the_same_after_they_were_stored_next_to_their_page(tmp_path: Path) -> None:
    assert load(tmp_path / "speed.json") == {}
    results = {"speed": Result(SPEED, MACHINE), "memory": Result(failed="no nginx")}
    save(tmp_path / "speed.json", results)
    assert load(tmp_path / "speed.json") == results
    assert (tmp_path / "speed.md").read_text() == page(results)


def test_the_projects_page_is_the_one_of_the_stored_results() -> None:
    results = load(ROOT / "docs/performance.json")
    assert results
    assert (ROOT / "docs/performance.md").read_text() == page(results), "run: make bench ARGS=--page-only"


@pytest.fixture
def two_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SECTIONS", ("speed", "memory"))
    monkeypatch.setitem(sys.modules, "bench.speed", SimpleNamespace(measure=lambda *, quick: SPEED))


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *map(str, words)])
    command.main()


@pytest.mark.usefixtures("two_sections")
def test_measuring_one_section_keeps_the_figures_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "all.json"
    save(stored, {"memory": Result(MEMORY, MACHINE)})
    call(monkeypatch, "--only", "speed", "--stored", stored)
    results = load(stored)
    assert list(results) == ["speed", "memory"]
    assert (results["speed"].section, results["memory"]) == (SPEED, Result(MEMORY, MACHINE))


@pytest.mark.usefixtures("two_sections")
def test_a_section_that_fails_stores_its_reason_and_ends_the_command_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "all.json"
    save(stored, {"speed": Result(SPEED, MACHINE)})
    with pytest.raises(SystemExit, match="not measured: speed, memory"):
        call(monkeypatch, "--stored", stored)  # the new processes do not know the two sections
    results = load(stored)
    assert results["speed"].section == SPEED
    assert "invalid choice: 'speed'" in results["speed"].failed
    assert results["memory"].section is None
