"""The SAM transform's results on disk: found again, and never used for another template."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from prewarm_local.stack import sam_transform, transform_cache
from prewarm_local.stack.template import DEFAULT_TEMPLATE, load_template
from tests.support.embedded_project import TEMPLATE, write_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "prewarm" / "templates"


@pytest.fixture
def transforms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the transforms that ran."""
    ran: list[str] = []
    original = sam_transform.transform

    def transform(text: str, folder: Path, overrides: dict[str, str], region: str) -> transform_cache.Transformed:
        ran.append(region)
        return original(text, folder, overrides, region)

    monkeypatch.setattr(sam_transform, "transform", transform)
    return ran


def test_second_start_reads_the_same_template_without_a_transform(cache: Path, transforms: list[str]) -> None:
    first, second = load_template(), load_template()
    assert first == second
    assert len(transforms) == 1
    (stored,) = cache.iterdir()
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_other_parameters_and_another_text_are_transformed(tmp_path: Path, transforms: list[str]) -> None:
    path = write_project(tmp_path, TEMPLATE)
    assert [each.timeout for each in load_template(path).functions if each.logical_id == "Acts"] == [1]
    path.write_text(TEMPLATE.replace("Timeout: 1}", "Timeout: 2}"))
    assert [each.timeout for each in load_template(path).functions if each.logical_id == "Acts"] == [2]
    for stage in ("v8", "v9", "v8"):
        template = load_template(DEFAULT_TEMPLATE, {"StageName": stage})
        assert template.api is not None
        assert template.api.stage == stage
    assert len(transforms) == 4


def test_changed_definition_is_read_again(tmp_path: Path, transforms: list[str]) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Machine:\n    Type: AWS::Serverless::StateMachine\n"
        "    Properties: {DefinitionUri: machine.json, Role: 'arn:aws:iam::123456789012:role/r'}\n"
    )
    for comment in ("first", "second", "second"):
        definition = {"Comment": comment, "StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
        (tmp_path / "machine.json").write_text(json.dumps(definition))
        (machine,) = load_template(path).state_machines
        assert json.loads(machine.definition) == definition
    assert len(transforms) == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"values": {}}', '{"values": {}, "other": 1}'])
def test_damaged_result_is_written_again(tmp_path: Path, cache: Path, transforms: list[str], damage: str) -> None:
    path = write_project(tmp_path)
    expected = load_template(path)
    (stored,) = cache.iterdir()
    stored.write_text(damage)
    assert load_template(path) == load_template(path) == expected
    assert len(transforms) == 2


def test_folder_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transforms: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    path = write_project(tmp_path)
    assert load_template(path) == load_template(path)
    assert len(transforms) == 2


def test_oldest_results_are_removed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform_cache, "_MOST_RESULTS", 2)
    for age, stage in ((9, "v1"), (8, "v2"), (7, "v3")):
        before = set(cache.glob("*"))
        load_template(parameters={"StageName": stage})
        (new,) = set(cache.glob("*")) - before
        os.utime(new, (age * -1 + 1_000, age * -1 + 1_000))
    assert len(list(cache.iterdir())) == 2
    assert new in cache.iterdir()


def test_relative_cache_home_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    load_template(write_project(tmp_path))
    assert len(list((tmp_path / "home" / ".cache" / "prewarm" / "templates").iterdir())) == 1
