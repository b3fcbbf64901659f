"""Print the release notes of a tag, taken from CHANGELOG.md: `python -m tools.release_notes v0.2.0`.

The release workflow runs it before it publishes; it fails if the tag, the version and the changelog disagree.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from prewarm import __version__

ROOT = Path(__file__).resolve().parents[1]


def release_notes(tag: str, version: str, changelog: str, urls: dict[str, str]) -> str:
    """Return the changelog's section of a version, without its heading.

    Raises:
        ValueError: the tag is not `v` and the version, the section is missing or empty, or a URL is a placeholder.

    """
    if tag != f"v{version}":
        raise ValueError(f"tag {tag}: the version in functions/prewarm/__init__.py is {version}; tag v{version}")
    if placeholders := [name for name, url in urls.items() if "example.com" in url]:
        raise ValueError(f"pyproject.toml, project.urls: replace example.com in {', '.join(placeholders)}")
    heading = re.compile(rf"^## \[?{re.escape(version)}\]?(?: .*)?$", re.MULTILINE)
    found = heading.search(changelog)
    if found is None:
        raise ValueError(f"CHANGELOG.md: no section '## {version}'; rename 'Unreleased'")
    notes = re.split(r"^## |^\[[^\]]+\]: ", changelog[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not notes:
        raise ValueError(f"CHANGELOG.md: the section '## {version}' is empty")
    return notes


def main(tag: str) -> int:
    """Print the notes; return 1 if the release is not ready."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    try:
        print(release_notes(tag, __version__, changelog, project["urls"]))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
