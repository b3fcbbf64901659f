"""The lock files are exact, hashed and consistent, and no file names a private registry or path.

Each rule returns its violations; each is shown to find one in a made-up file.
"""

import re
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.support.definitions import ROOT

LOCKS = (
    "functions/requirements.txt",
    "requirements/local.txt",
    "requirements/dev.txt",
    "requirements/bootstrap.txt",
    "requirements/cdk.txt",
)
NAME = r"[A-Za-z0-9][\w.-]*"
PIN = re.compile(rf"({NAME})(\[[\w,-]+\])?==([\w.!+-]+)( ; [^#]+)?( \\)?")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

# Written in pieces, so that this file does not contain them.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "proxy.golang" + ".org")
MACHINE_PATHS = re.compile(r"(?<![\w.~-])/" + r"(?:work|root)\b(?!-)")
BINARY = {".png", ".gif", ".ico", ".gz", ".zip", ".woff2", ".webp", ".jpg"}


def lines_of(lock: str) -> list[str]:
    return [line for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pins(lock: str) -> dict[str, str]:
    """Return the version of each locked package, by its normalised name."""
    matches = (PIN.fullmatch(line) for line in lines_of(lock))
    return {normalised(pin[1]): pin[3] for pin in matches if pin}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def loose_pins(lock: str) -> list[str]:
    """List lines that are neither an exact version nor a hash (an index, a URL, a range), and pins without a hash."""
    lines = lines_of(lock)
    problems = [line for line in lines if not PIN.fullmatch(line) and not HASH.fullmatch(line)]
    following = [*lines[1:], ""]
    return problems + [
        f"{line}: no hash"
        for line, after in zip(lines, following, strict=True)
        if PIN.fullmatch(line) and not HASH.fullmatch(after)
    ]


def disagreements(locks: list[dict[str, str]]) -> list[str]:
    names = sorted({name for lock in locks for name in lock})
    versions = {name: {lock[name] for lock in locks if name in lock} for name in names}
    return [f"{name}: {' or '.join(sorted(different))}" for name, different in versions.items() if len(different) > 1]


def unlocked(path: Path) -> list[str]:
    """List the requirements of an .in file, and of those that it includes, that its lock lacks."""
    locked = pins(path.with_suffix(".txt").read_text())
    return sorted(requirements_of(path) - locked.keys())


def requirements_of(path: Path) -> set[str]:
    names = set()
    for line in lines_of(path.read_text()):
        if line.startswith("-r "):
            names |= requirements_of(path.parent / line.removeprefix("-r ").strip())
        else:
            name = re.match(NAME, line)
            names.add(normalised(name[0]) if name else line)
    return names


def private_places(texts: dict[str, str]) -> list[str]:
    """List the lines that name a package registry's host, or a path of the machine they were written on."""
    problems = []
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if MACHINE_PATHS.search(line) or any(host in line for host in REGISTRIES):
                problems.append(f"{path}:{number}: {line.strip()[:80]}")
    return problems


@pytest.mark.parametrize("path", LOCKS)
def test_every_requirement_is_exact_and_hashed_and_names_no_index(path: str) -> None:
    lock = (ROOT / path).read_text()
    assert pins(lock)
    assert loose_pins(lock) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-" + "url https://example.com/simple",
        "--find-links wheels",
        "pycurl>=7",
        "pycurl @ https://example.com/pycurl.whl",
        "pycurl==7.0",
        "pycurl==7.0 \\\n    --hash=md5:0123456789abcdef",
    ],
)
def test_loose_requirements_are_found(line: str) -> None:
    good = f"certifi==1.0 \\\n    --hash=sha256:{'0' * 64}\n"
    assert loose_pins(good) == []
    assert loose_pins(f"{line}\n{good}")


def test_the_lock_files_agree() -> None:
    assert disagreements([pins((ROOT / path).read_text()) for path in LOCKS]) == []


def test_disagreements_are_found() -> None:
    locks = [{"pycurl": "7.0", "certifi": "1.0"}, {"pycurl": "7.1", "certifi": "1.0"}]
    assert disagreements(locks) == ["pycurl: 7.0 or 7.1"]


def test_every_lock_that_runs_the_functions_has_their_requirements() -> None:
    needed = pins((ROOT / LOCKS[0]).read_text()).keys()
    assert [name for path in LOCKS[:3] for name in needed - pins((ROOT / path).read_text()).keys()] == []


@pytest.mark.parametrize("path", LOCKS)
def test_every_requirement_is_locked(path: str) -> None:
    assert unlocked((ROOT / path).with_suffix(".in")) == []


def test_a_requirement_that_is_not_locked_is_found(tmp_path: Path) -> None:
    (tmp_path / "base.in").write_text("Forgotten_One>=2\n")
    (tmp_path / "dev.in").write_text("# why\n-r base.in\npycurl\nuv[x]\n")
    (tmp_path / "dev.txt").write_text(f"pycurl==7.0 \\\n    --hash=sha256:{'0' * 64}\n")
    assert unlocked(tmp_path / "dev.in") == ["forgotten-one", "uv"]


def project_files() -> list[Path]:
    """Return the files that git tracks or would add; skip, with a warning, where there is no git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        reason = "NOT CHECKED: not a git checkout, so the project's files were not searched for private places"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text(errors="replace") for path in project_files()}
    assert texts
    assert private_places(texts) == []


@pytest.mark.parametrize(
    "line",
    [
        "see https://pypi" + ".org/project/x",
        "cd /" + "work/main",
        "home = '/" + "root/.pyenv'",
        "resol" + "ved https://registry.npm" + "js.org/x",
    ],
)
def test_private_places_are_found(line: str) -> None:
    assert private_places({"README.md": f"first\n{line}\n"}) == [f"README.md:2: {line}"]
    assert private_places({"README.md": "warm.work/roots, ~/work, /workers and /root-cause do not count"}) == []
