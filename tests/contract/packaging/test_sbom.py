"""The bill of materials: every locked package of the functions, with version, hashes and licence."""

import csv
import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.sbom import LOCK, licence, main, packages


def test_bill_lists_every_locked_package_with_version_hashes_and_licence(tmp_path: Path) -> None:
    main(tmp_path)
    document = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    lock = LOCK.read_text(encoding="utf-8")
    pinned = [line.partition(" ")[0] for line in lock.splitlines() if "==" in line and not line.startswith(" ")]
    assert [f"{each['name']}=={each['version']}" for each in document["components"]] == pinned
    assert sum(len(each["properties"]) for each in document["components"]) == lock.count("--hash=sha256:")
    with (tmp_path / "licences.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(pinned)
    assert all(row["licence"] for row in rows)


def test_package_in_another_version_than_the_locked_one_is_an_error() -> None:
    with pytest.raises(LookupError, match="is locked; run make install"):
        licence("botocore", "0.0.1")
    assert packages("") == []


def test_bill_is_valid_by_cyclonedx_schema_and_a_broken_one_is_not(tmp_path: Path) -> None:
    main(tmp_path)
    text = (tmp_path / "sbom.json").read_text(encoding="utf-8")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"a library"')) is not None
