"""pyproject.toml's dependencies and extras are what the shipped code imports, and what the lock files lock."""

import re
import sys
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.contract.packaging.test_requirements import normalised, pins, requirements_of
from tests.support.definitions import ROOT
from tests.support.module_rules import Sources, imports, sources

# Modules whose distribution has another name, or comes with the distribution on the right.
DISTRIBUTIONS = {
    "aws_lambda_powertools": "aws-lambda-powertools",
    "botocore": "boto3",
    "dns": "dnspython",
    "hpack": "h2",
    "hyperframe": "h2",
    "samtranslator": "aws-sam-translator",
    "urllib3": "requests",
    "werkzeug": "moto",
    "yaml": "pyyaml",
}
# The embedded stack runs it as a program: runpy.run_module.
RUN_AS_A_PROGRAM = {"awslambdaric"}
OWN_PACKAGES = {"prewarm", "prewarm_cli", "prewarm_local", "api", "resolve", "warm", "aggregate"}
SHIPPED = ("functions/", "src/")


def project() -> dict[str, object]:
    table: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def names_of(requirements: object) -> set[str]:
    assert isinstance(requirements, list)
    return {normalised(re.split(r"[\[<>=~!; ]", requirement)[0]) for requirement in requirements}


def base() -> set[str]:
    return names_of(project()["dependencies"])


def extras() -> set[str]:
    """Return what the extras add: the embedded stack's packages, those of `prewarm traffic` and of calls of AWS."""
    table = project()["optional-dependencies"]
    assert isinstance(table, dict)
    assert set(table) == {"aws", "local", "traffic"}
    return set().union(*map(names_of, table.values()))


def imported_distributions(code: Sources) -> set[str]:
    """Return the distributions that the shipped code imports when it runs."""
    names = {
        name.partition(".")[0]
        for path, source in code.items()
        if path.startswith(SHIPPED)
        for name in imports(path, source)
    }
    third_party = names - sys.stdlib_module_names - OWN_PACKAGES
    return {DISTRIBUTIONS.get(name, normalised(name)) for name in third_party}


def undeclared(code: Sources) -> set[str]:
    return imported_distributions(code) - base() - extras()


def test_every_import_is_declared() -> None:
    assert undeclared(sources()) == set()


@pytest.mark.parametrize("path", ["functions/warm/handler.py", "src/prewarm_cli/main.py", "src/prewarm_local/a.py"])
def test_an_undeclared_import_is_found(path: str) -> None:
    assert undeclared({path: "def f():\n    import polars.io"}) == {"polars"}
    assert undeclared({path: "import yaml, json, prewarm\nif TYPE_CHECKING:\n    import mypy_boto3_s3"}) == set()


def test_every_declared_dependency_is_used() -> None:
    assert (base() | extras()) - imported_distributions(sources()) == RUN_AS_A_PROGRAM


def test_the_locks_hold_what_the_wheel_declares() -> None:
    """`make` installs the locks instead of the wheel's dependencies, so that both must name the same packages."""
    locked = pins((ROOT / "requirements" / "local.txt").read_text(encoding="utf-8")).keys()
    assert (base() | extras()) - locked == set()
    named = requirements_of(ROOT / "requirements" / "local.in")
    # The base dependencies and the extras, and what builds the editable install.
    assert {re.sub(r"\[.*", "", name) for name in named} == base() | extras() | {"hatchling"}


def test_no_function_imports_duckdb() -> None:
    deployed = {path: source for path, source in sources().items() if path.startswith("functions/")}
    assert "duckdb" not in imported_distributions(deployed)
    assert "duckdb" not in pins((ROOT / "functions" / "requirements.txt").read_text(encoding="utf-8"))


def test_the_version_is_written_once() -> None:
    assert "version" not in project()
    text = (ROOT / "functions" / "prewarm" / "__init__.py").read_text(encoding="utf-8")
    assert len(re.findall(r'^__version__ = "\d+\.\d+\.\d+"$', text, re.MULTILINE)) == 1


def test_every_packages_path_exists() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = configuration["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert [path for path in (*wheel["packages"], *wheel["force-include"]) if not (ROOT / path).exists()] == []
    folders = {PurePosixPath(path).name for path in wheel["force-include"] if path.startswith("functions/")}
    deployed = {path.parent.name for path in (ROOT / "functions").glob("*/__init__.py")}
    assert folders - {"requirements.txt"} == deployed
