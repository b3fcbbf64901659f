"""Write the bill of materials of what ships to Lambda: dist/sbom.json (CycloneDX 1.6) and dist/licences.csv.

The versions and hashes are those of functions/requirements.txt; licences come from the installed packages' metadata,
so a package that is not installed in the locked version is an error.
"""

import csv
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "functions" / "requirements.txt"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Package:
    """One locked package: name, version, the SHA-256 hashes of its files, its licence as its metadata names it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    licence: str

    @property
    def purl(self) -> str:
        """Return the package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def packages(lock: str) -> list[Package]:
    """Return the packages of a lock file.

    Raises:
        LookupError: a package is not installed in the locked version, or names no licence.

    """
    starts = [*PINNED.finditer(lock)]
    ends = [*(match.start() for match in starts[1:]), len(lock)][: len(starts)]
    return [
        Package(match[1], match[2], tuple(HASH.findall(lock[match.end() : end])), licence(match[1], match[2]))
        for match, end in zip(starts, ends, strict=True)
    ]


def licence(name: str, version: str) -> str:
    """Return an installed package's licence: its SPDX expression, else its classifiers, else its free text."""
    about = metadata.metadata(name)
    if about["Version"] != version:
        raise LookupError(f"{name} {about['Version']} is installed, {version} is locked; run make install")
    classifiers = [text.rpartition(" :: ")[2] for text in about.get_all("Classifier", []) if "License ::" in text]
    found = _one(about, "License-Expression") or " AND ".join(classifiers) or _one(about, "License").strip()
    if not found:
        raise LookupError(f"{name} {version} names no licence in its metadata; add it by hand after reading it")
    return found.splitlines()[0]


def _one(about: metadata.PackageMetadata, field: str) -> str:
    return next(iter(about.get_all(field, [])), "")


def bill(found: list[Package], name: str, version: str) -> dict[str, Any]:
    """Return the bill of materials as CycloneDX JSON, the same for the same lock file."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": name, "name": name, "version": version}},
        "components": [
            {
                "type": "library",
                "bom-ref": package.purl,
                "name": package.name,
                "version": package.version,
                "purl": package.purl,
                "licenses": [{"license": {"name": package.licence}}],
                # The files of each platform; CycloneDX's own `hashes` would have to be of one file.
                "properties": [{"name": "pypi:sha256", "value": each} for each in package.hashes],
            }
            for package in found
        ],
        "dependencies": [{"ref": name, "dependsOn": [package.purl for package in found]}],
    }


def main(folder: Path = ROOT / "dist") -> None:
    """Write both files and say where they are."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = packages(LOCK.read_text(encoding="utf-8"))
    folder.mkdir(exist_ok=True)
    document = bill(found, project["name"], project.get("version", metadata.version(project["name"])))
    (folder / "sbom.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    with (folder / "licences.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["package", "version", "licence"])
        rows.writerows([package.name, package.version, package.licence] for package in found)
    sys.stdout.write(f"{len(found)} packages: {folder / 'sbom.json'}, {folder / 'licences.csv'}\n")


if __name__ == "__main__":
    main()
