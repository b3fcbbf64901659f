"""`sam validate` accepts the template, and `sam build` produces the artefact that Lambda runs."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.definitions import FUNCTIONS, ROOT, TEMPLATE, functions, template

# One build serves all: with pytest-xdist and --dist loadgroup, on one worker.
pytestmark = pytest.mark.xdist_group("sam")

SAM = Path(sys.executable).with_name("sam")
BUILD_SECONDS = 300
MAX_UNZIPPED_BYTES = 60 * 1024 * 1024
ELF_MACHINE_AARCH64 = 183
# The functions' own folders in the artefact; the others are their requirements.
FOLDERS = {"prewarm", "resolve", "warm", "aggregate", "api"}
NEVER_SHIPPED = {"tests", "prewarm_local", "prewarm_cli", "tools", "bench", "moto", "pytest", "boto3", "botocore"}


@dataclass(frozen=True)
class Build:
    """The folder and the log of a build."""

    folder: Path
    log: str


def python_for_lambda() -> Path | None:
    """Return a Python of the functions' version that runs and has pip: on PATH, or installed by pyenv.

    Each candidate is run, because pyenv leaves a shim on PATH for inactive versions.
    """
    version = functions(template())["WarmFunction"]["Runtime"].removeprefix("python")
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [*([Path(on_path)] if on_path else []), *sorted(pyenv.glob(f"{version}*/bin/python{version}"))]
    check = f"import pip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    for candidate in candidates:
        if subprocess.run([candidate, "-c", check], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def sam_environment(home: Path) -> dict[str, str]:
    """Return this shell's environment without AWS credentials, telemetry and SAM's files in the home folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(home),
    }


# Both templates in one process: its imports and cfn-lint's rules are half of the time.
VALIDATE = """
import json, sys
from click.testing import CliRunner
from samcli.cli.main import cli
for template in sys.argv[1:]:
    done = CliRunner().invoke(cli, ["validate", "--lint", "--template", template])
    print(json.dumps([done.exit_code, done.output]))
"""


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[int, str], tuple[int, str]]:
    """Return exit status and output of `sam validate` for the template, and for a broken one."""
    broken = tmp_path_factory.mktemp("broken") / "template.yaml"
    broken.write_text(TEMPLATE.read_text().replace("!Ref RunsBucket", "!Ref NoBucket"))
    environment = sam_environment(tmp_path_factory.mktemp("sam"))
    done = run([sys.executable, "-c", VALIDATE, TEMPLATE, broken], environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == 2, done.stdout + done.stderr
    accepted, rejected = map(json.loads, lines)
    return (*accepted,), (*rejected,)


def run(arguments: list[str | Path], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )


@pytest.fixture(scope="module")
def lambda_python() -> Path:
    python = python_for_lambda()
    if python is None:
        reason = "NOT BUILT: no python of the functions' runtime on PATH or in pyenv, so `sam build` was not tested"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    return python


@pytest.fixture(scope="module")
def build(lambda_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("build")
    environment = sam_environment(tmp_path_factory.mktemp("sam"))
    environment["PATH"] = f"{lambda_python.parent}{os.pathsep}{environment['PATH']}"
    done = run([SAM, "build", "--template", TEMPLATE, "--build-dir", folder, "--no-cached"], environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return Build(folder, done.stdout + done.stderr)


def test_getting_started_names_the_oldest_sam_cli_that_builds_and_the_locked_one_is_newer() -> None:
    """SAM CLI 1.142.1 does not find pycurl's wheel for arm64 (manylinux_2_28); 1.143.0 does."""
    page = (ROOT / "docs/getting-started.md").read_text()
    named = re.findall(r"1\.(\d+)(?:\.\d+)? or newer", page)
    assert named
    assert set(named) == {"143"}
    assert "python3.13 --version" in page
    assert "--use-container" in page
    locked = re.search(r"^aws-sam-cli==(\d+)\.(\d+)", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE)
    assert locked is not None
    assert (int(locked[1]), int(locked[2])) >= (1, 143)


def test_sam_validate_accepts_the_template(validated: tuple[tuple[int, str], tuple[int, str]]) -> None:
    status, output = validated[0]
    assert status == 0, output


def test_sam_validate_rejects_a_broken_template(validated: tuple[tuple[int, str], tuple[int, str]]) -> None:
    status, output = validated[1]
    assert status != 0
    assert "NoBucket" in output


def test_build_resolves_requirements_once_for_all_functions(build: Build) -> None:
    assert build.log.count("Building codeuri") == 1, build.log
    assert {path.name for path in build.folder.iterdir()} == {*functions(template()), "template.yaml"}


def native_libraries(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            yield path.relative_to(folder), path.read_bytes()


def missing_files(artefact: Path) -> list[str]:
    """List handlers, data files and pycurl's library that are missing from the artefact."""
    modules = {properties["Handler"].rpartition(".")[0] for properties in functions(template()).values()}
    data = [path for path in (FUNCTIONS / "prewarm" / "data").iterdir() if path.is_file()]
    required = [
        *(f"{module.replace('.', '/')}.py" for module in sorted(modules)),
        *(str(path.relative_to(FUNCTIONS)) for path in sorted(data)),
        "**/*pycurl*aarch64*.so",
    ]
    return [pattern for pattern in required if not list(artefact.glob(pattern))]


def foreign_libraries(artefact: Path) -> list[str]:
    return [
        str(path)
        for path, content in native_libraries(artefact)
        if int.from_bytes(content[18:20], "little") != ELF_MACHINE_AARCH64
    ]


def unwanted_files(artefact: Path) -> list[str]:
    """List files of the tests, the embedded stack, the command or development."""
    folders = {path.name for path in artefact.iterdir()} & NEVER_SHIPPED
    ours = [path for folder in FOLDERS for path in (artefact / folder).rglob("*")]
    return sorted([*folders, *(path.name for path in ours if path.name.startswith(("test_", "conftest")))])


def unzipped_bytes(artefact: Path) -> int:
    return sum(path.stat().st_size for path in artefact.rglob("*") if path.is_file())


def test_artefact_is_complete(build: Build) -> None:
    assert missing_files(build.folder / "WarmFunction") == []


def test_artefact_is_built_for_arm64(build: Build) -> None:
    assert foreign_libraries(build.folder / "WarmFunction") == []


def test_artefact_excludes_tests_and_embedded_stack(build: Build) -> None:
    assert unwanted_files(build.folder / "WarmFunction") == []


def test_artefact_is_small(build: Build) -> None:
    assert unzipped_bytes(build.folder / "WarmFunction") < MAX_UNZIPPED_BYTES


def test_broken_artefact_is_reported(tmp_path: Path) -> None:
    (tmp_path / "prewarm_local").mkdir()
    (tmp_path / "prewarm").mkdir()
    (tmp_path / "prewarm" / "test_plan.py").touch()
    (tmp_path / "_pycurl.cpython-313-x86_64-linux-gnu.so").write_bytes(b"\x7fELF" + bytes(14) + b"\x3e\x00")
    assert {"warm/handler.py", "prewarm/data/pops.csv", "**/*pycurl*aarch64*.so"} <= set(missing_files(tmp_path))
    assert foreign_libraries(tmp_path) == ["_pycurl.cpython-313-x86_64-linux-gnu.so"]
    assert unwanted_files(tmp_path) == ["prewarm_local", "test_plan.py"]
    assert unzipped_bytes(tmp_path) == 20


def download(python: Path, requirements: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Download a lock file's wheels for arm64 Linux, with their hashes checked."""
    tags = [f"--platform={tag}_aarch64" for tag in ("manylinux2014", "manylinux_2_17", "manylinux_2_28")]
    options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:", "--implementation=cp", *tags]
    return run([python, "-m", "pip", "download", *options, "--dest", folder, "-r", requirements], dict(os.environ))


def test_binaries_of_the_artefact_match_the_lock_file(build: Build, lambda_python: Path, tmp_path: Path) -> None:
    """SAM downloads wheels of another architecture without checking hashes; pip, which checks them, must agree."""
    done = download(lambda_python, FUNCTIONS / "requirements.txt", tmp_path)
    assert done.returncode == 0, done.stderr
    checked = set()
    for wheel in tmp_path.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            checked |= {hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    built = list(native_libraries(build.folder / "WarmFunction"))
    assert [path for path, content in built if hashlib.sha256(content).hexdigest() not in checked] == []


def test_binary_with_another_hash_is_rejected(lambda_python: Path, tmp_path: Path) -> None:
    lock = (FUNCTIONS / "requirements.txt").read_text()
    (pin,) = re.findall(r"^pycurl==\S+", lock, re.MULTILINE)
    (tmp_path / "requirements.txt").write_text(f"{pin} --hash=sha256:{'0' * 64}\n")
    done = download(lambda_python, tmp_path / "requirements.txt", tmp_path)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
