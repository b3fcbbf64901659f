"""The wheel: its contents, and the command that it installs into an empty environment.

Base: the wheel with its three dependencies, at the locked versions, which are in uv's cache. Local: the wheel without
dependencies, in front of the development environment's packages. With CI=true the local extra is installed in full
too, in the newest versions that it allows, and `prewarm demo` runs there (about a minute).
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import pytest

import prewarm
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.definitions import ROOT
from tests.support.demo import check_demo
from tests.support.strict_edge import strict_cloudfront

# One wheel and three environments serve all tests: with --dist loadgroup, on one worker.
pytestmark = pytest.mark.xdist_group("wheel")

UV = Path(sys.executable).with_name("uv")
SCRIPTS = ("prewarm", "cloudfront-prewarm")
PACKAGES = {"prewarm", "prewarm_cli", "prewarm_local"}
SUFFIXES = {".py", ".typed", ".csv", ".json", ".svgpath", ".md", ".js", ".css", ".html", ".yaml"}
SERVICE = "prewarm_local/service"
# Of the base environment's packages, without pip; pip adds some 12 MB.
MAX_BASE_BYTES = 35_000_000
TIMEOUT_SECONDS = 120
# Nothing listens on the discard port.
DEAD_API = ("--api-url", "http://127.0.0.1:9", "--api-key", "none")
DOMAIN, HOST, POP = "d111abcdef8.cloudfront.net", "www.example.com", "SIN2-C1"


def isolated(home: Path) -> dict[str, str]:
    """Return this environment without its paths and settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PREWARM", "AWS_"))}
    return kept | {"HOME": str(home), "NO_COLOR": "1", "COLUMNS": "200"}


def executed(
    *command: str | Path,
    folder: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    """Run a command without this environment's paths and settings, with an empty home."""
    return subprocess.run(
        command,
        cwd=folder,
        env=isolated(folder) | dict(environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def uv(*arguments: str | Path) -> None:
    done = subprocess.run([UV, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def new_environment(folder: Path) -> Path:
    """Create an empty virtual environment; return the folder of its scripts."""
    uv("venv", "--quiet", "--no-project", "--python", sys.executable, folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable)
    uv(*build, "--out-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that has the wheel and its three dependencies."""
    scripts = new_environment(tmp_path_factory.mktemp("base") / "venv")
    locked = ROOT / "requirements" / "local.txt"
    uv("pip", "install", "--quiet", "--python", scripts / "python", "--constraint", locked, wheel)
    return scripts


@pytest.fixture(scope="module")
def local(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that has the wheel, and the development environment's packages behind it.

    A path in a .pth file is searched for packages, but not for further .pth files: the editable install is not in it.
    """
    scripts = new_environment(tmp_path_factory.mktemp("local") / "venv")
    uv("pip", "install", "--quiet", "--python", scripts / "python", "--no-deps", wheel)
    (site,) = scripts.parent.glob("lib/python*/site-packages")
    (site / "development.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return scripts


@pytest.fixture(scope="module")
def edge() -> Iterator[SimulatedCloudFront]:
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": [POP],
        "default_object": {"size": 1_000},
    }
    with strict_cloudfront(config) as running:
        yield running


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def stray_files(names: list[str]) -> list[str]:
    """List files that are neither code nor data of the three packages: caches, tests, other top-level names."""
    problems = []
    for name in names:
        path = PurePosixPath(name)
        if path.parts[0].endswith(".dist-info") or name == f"{SERVICE}/functions/requirements.txt":
            continue
        hidden = any(part.startswith((".", "__pycache__")) for part in path.parts)
        if path.parts[0] not in PACKAGES or path.suffix not in SUFFIXES or hidden or "test" in path.stem.split("_"):
            problems.append(name)
    return problems


def test_the_wheel_holds_three_packages_and_no_stray_file(wheel: Path) -> None:
    assert stray_files(names_in(wheel)) == []
    assert {name.split("/")[0] for name in names_in(wheel)} - PACKAGES == {
        f"cloudfront_prewarm-{prewarm.__version__}.dist-info"
    }


@pytest.mark.parametrize(
    "name",
    [
        "api/handler.py",
        "prewarm/__pycache__/x.pyc",
        "prewarm_local/service/test_x.py",
        "prewarm/.env",
        "prewarm/x.bin",
    ],
)
def test_a_stray_file_is_found(name: str) -> None:
    assert stray_files([name]) == [name]


def test_every_package_is_typed(wheel: Path) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names_in(wheel))


def test_the_wheel_carries_the_whole_service(wheel: Path) -> None:
    """Every file of the functions that git holds, the template and the state machine, byte for byte."""
    sources = [path for path in (ROOT / "functions").rglob("*") if path.is_file() and path.suffix in SUFFIXES]
    sources += [ROOT / "template.yaml", *(ROOT / "statemachine").iterdir()]
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name.removeprefix(f"{SERVICE}/"): name for name in archive.namelist() if name.startswith(SERVICE)}
        paths = {path.relative_to(ROOT).as_posix(): path for path in sources}
        assert shipped.keys() == paths.keys() | {"functions/requirements.txt"}
        assert [name for name, path in paths.items() if archive.read(shipped[name]) != path.read_bytes()] == []


def test_the_version_is_the_packages_own() -> None:
    assert metadata.version("cloudfront-prewarm") == prewarm.__version__


@pytest.mark.parametrize("script", SCRIPTS)
def test_both_scripts_print_the_version(base: Path, tmp_path: Path, script: str) -> None:
    assert executed(base / script, "--version", folder=tmp_path).stdout == f"prewarm {prewarm.__version__}\n"


def test_the_base_environment_is_small(base: Path) -> None:
    site = base.parent / "lib"
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < MAX_BASE_BYTES


@pytest.mark.parametrize("command", ["start", "report", "configure", "traffic", "doctor"])
def test_help_works_without_extras(base: Path, tmp_path: Path, command: str) -> None:
    done = executed(base / "prewarm", command, "--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"prewarm {command}" in done.stdout


def test_pops_works_without_extras(base: Path, tmp_path: Path) -> None:
    done = executed(base / "prewarm", "pops", "list", "--country", "singapore", "--csv", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert POP in done.stdout
    assert "Singapore" in executed(base / "prewarm", "pops", "show", POP, folder=tmp_path).stdout


def test_an_unreachable_api_is_exit_4_and_one_line(base: Path, tmp_path: Path) -> None:
    """One command for all: each spends eight seconds on retries, and test_module_rules.py checks the imports."""
    done = executed(base / "prewarm", "list", *DEAD_API, folder=tmp_path)
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("prewarm: ")
    assert "http://127.0.0.1:9" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("run", f"https://{HOST}/", "--region", "eu", "--distribution", f"{DOMAIN}={HOST}"),
        ("local", "--distribution", f"{DOMAIN}={HOST}"),
        ("demo",),
        ("traffic", "logs.gz"),
        ("configure", "--stack", "warm"),
    ],
    ids=lambda command: str(command[0]),
)
def test_a_missing_extra_is_named(base: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = executed(base / "prewarm", *command, folder=tmp_path)
    assert done.returncode == 4
    extra = {"traffic": "traffic", "configure": "aws"}.get(command[0], "local")
    assert done.stderr == (
        f"prewarm: `prewarm {command[0]}` needs the {extra} extra: pipx install 'cloudfront-prewarm[{extra}]'\n"
    )


def test_the_installed_wheel_warms_outside_a_checkout(local: Path, tmp_path: Path, edge: SimulatedCloudFront) -> None:
    modules = "prewarm", "prewarm_cli", "prewarm_local"
    script = f"import {', '.join(modules)}\nfor each in {', '.join(modules)}: print(each.__file__)"
    files = executed(local / "python", "-c", script, folder=tmp_path).stdout.splitlines()
    assert len(files) == len(modules)
    assert all(file.startswith(str(local.parent)) for file in files), files

    request = ("run", f"https://{HOST}/page.html", "--pop", POP, "--distribution", f"{DOMAIN}={HOST}", "--json")
    done = executed(local / "prewarm", *request, folder=tmp_path, environment=edge.settings())
    assert done.returncode == 0, done.stderr
    assert '"COMPLETED"' in done.stdout


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="CI installs the local extra in full (about a minute)")
def test_the_local_extra_in_full_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    """Shows a failed and a completed run and keeps serving: what tests/e2e/cli/test_demo.py checks without CI."""
    scripts = new_environment(tmp_path / "venv")
    # Bytecode is written as it is needed; most of moto is not.
    uv("pip", "install", "--quiet", "--python", scripts / "python", f"{wheel}[local]")
    check_demo([scripts / "prewarm"], tmp_path, isolated(tmp_path), tmp_path)
