"""The release workflow's notes: the changelog's section of the tagged version."""

import pytest

from tools.release_notes import release_notes

URLS = {"Issues": "https://code.example.net/issues"}
CHANGELOG = """# Changelog

## Unreleased

- later

## 0.2.0 - 2027-01-02

### Added

- a thing

## 0.1.0

[0.2.0]: https://code.example.net/v0.2.0
"""


def test_the_notes_are_the_section_of_the_version() -> None:
    assert release_notes("v0.2.0", "0.2.0", CHANGELOG, URLS) == "### Added\n\n- a thing"
    linked = CHANGELOG.replace("## 0.2.0 - 2027-01-02", "## [0.2.0] - 2027-01-02")
    assert release_notes("v0.2.0", "0.2.0", linked, URLS) == "### Added\n\n- a thing"


@pytest.mark.parametrize(
    ("tag", "version", "urls", "message"),
    [
        ("v0.2.1", "0.2.0", URLS, "tag v0.2.0"),
        ("v0.3.0", "0.3.0", URLS, "no section '## 0.3.0'"),
        ("v0.1.0", "0.1.0", URLS, "'## 0.1.0' is empty"),
        ("v0.2.0", "0.2.0", {"Issues": "https://git.example.com/x"}, "replace example.com in Issues"),
    ],
)
def test_a_release_that_is_not_ready_is_rejected(tag: str, version: str, urls: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        release_notes(tag, version, CHANGELOG, urls)
