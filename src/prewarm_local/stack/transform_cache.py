"""Keep the SAM transform's results on disk, since a transform takes a third of the embedded stack's start.

A result is found by the digest of everything that it depends on, so that it never needs to be invalidated: the
template's text, the parameters, the Region and the version of samtranslator; it also names the files that the
template includes, with their digests. The folder is the user's own: `$XDG_CACHE_HOME/prewarm`, by default
~/.cache/prewarm.
Where it cannot be written, each start runs the transform.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# samtranslator accepts only S3 locations for code; this bucket name marks the local folders used instead.
CODE_BUCKET = "local-folder"
# Increased when a result's form changes.
_FORM = 1
# More are templates of tests, or of versions that are not installed any longer.
_MOST_RESULTS = 30


@dataclass(frozen=True)
class Transformed:
    """A transformed template, as plain JSON values.

    `values` are those of its parameters; `files` are the included ones: path from the template to digest.
    """

    values: dict[str, Any]
    conditions: dict[str, Any]
    resources: dict[str, dict[str, Any]]
    files: dict[str, str]


def digest(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def transformed(
    path: Path,
    overrides: Mapping[str, str],
    region: str,
    transform: Callable[[str, Path, Mapping[str, str], str], Transformed],
) -> Transformed:
    """Return the transformed template at `path`, from the cache or by `transform`, with the errors of that.

    `transform` receives the template's text, its folder, `overrides` and `region`.
    """
    text = path.read_text(encoding="utf-8")
    key = digest(json.dumps([_FORM, _transform_version(), text, dict(overrides), region], sort_keys=True))
    stored = _cache_folder() / f"{key}.json"
    found = _read(stored, path.parent)
    if found is None:
        found = transform(text, path.parent, overrides, region)
        # No home folder, a read-only one, or values that JSON lacks: such a start is only slower.
        with suppress(OSError, RuntimeError, TypeError, ValueError):
            _write(stored, found)
    return found


def _transform_version() -> str:
    try:
        return version("aws-sam-translator")
    except PackageNotFoundError:
        return ""


def _cache_folder() -> Path:
    # The XDG specification requires that a relative path is ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(RuntimeError):  # no home folder
        base = base if base.is_absolute() else Path.home() / ".cache"
    return base / "prewarm" / "templates"


def _read(stored: Path, folder: Path) -> Transformed | None:
    """Return a stored result whose included files are as they were, or None."""
    try:
        found = Transformed(**json.loads(stored.read_text(encoding="utf-8")))
        for name, expected in found.files.items():
            if digest((folder / name).read_text(encoding="utf-8")) != expected:
                return None
    except (OSError, AttributeError, TypeError, ValueError):
        return None
    return found


def _write(stored: Path, result: Transformed) -> None:
    text = json.dumps(asdict(result))
    if Transformed(**json.loads(text)) != result:
        return
    stored.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=stored.parent, suffix=".new", delete=False) as new:
        new.write(text)
    Path(new.name).replace(stored)
    results = sorted(stored.parent.glob("*.json"), key=lambda each: each.stat().st_mtime)
    for old in results[:-_MOST_RESULTS]:
        old.unlink(missing_ok=True)
