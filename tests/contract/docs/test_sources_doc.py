"""The tables of docs/sources.md: every element of the readers and standards is there, with a test that has it."""

import re

import pytest

from resolve.sources import dash_tree, hls, sitemap_entries
from tests.support.definitions import ROOT

PAGE = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
TESTS = ROOT / "tests" / "unit" / "resolve" / "sources"
FIXTURES = ROOT / "tests" / "fixtures" / "sources"
ROW = re.compile(
    r"^\| (?P<what>.+?) \| (?P<done>.+?) \|.*\| `(?P<file>test_\w+\.py)::(?P<test>test_\w+)` \|$", re.MULTILINE
)
ROWS = [match.groupdict() for match in ROW.finditer(PAGE)]
# RFC 8216bis, section 4.4: all tags.
TAGS = [
    "EXTM3U",
    "EXT-X-VERSION",
    "EXT-X-INDEPENDENT-SEGMENTS",
    "EXT-X-START",
    "EXT-X-DEFINE",
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-ENDLIST",
    "EXT-X-PLAYLIST-TYPE",
    "EXT-X-I-FRAMES-ONLY",
    "EXT-X-PART-INF",
    "EXT-X-SERVER-CONTROL",
    "EXTINF",
    "EXT-X-BYTERANGE",
    "EXT-X-DISCONTINUITY",
    "EXT-X-KEY",
    "EXT-X-MAP",
    "EXT-X-PROGRAM-DATE-TIME",
    "EXT-X-GAP",
    "EXT-X-BITRATE",
    "EXT-X-PART",
    "EXT-X-DATERANGE",
    "EXT-X-SKIP",
    "EXT-X-PRELOAD-HINT",
    "EXT-X-RENDITION-REPORT",
    "EXT-X-MEDIA",
    "EXT-X-STREAM-INF",
    "EXT-X-I-FRAME-STREAM-INF",
    "EXT-X-SESSION-DATA",
    "EXT-X-SESSION-KEY",
    "EXT-X-CONTENT-STEERING",
]


def names(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z$][\w$-]+", " ".join(re.findall(r"`([^`]+)`", text))))


LISTED = {name for row in ROWS for name in names(row["what"])}


def known() -> set[str]:
    """Return the elements that the readers know."""
    of_dash = {
        *dash_tree.ATTRIBUTES,
        *dash_tree.TEXTS_NOT_WARMED,
        *dash_tree.ATTRIBUTES_NOT_WARMED,
        *dash_tree.QUERIES,
    }
    of_dash -= {"S"}
    of_sitemaps = {*sitemap_entries.ENTRIES, *sitemap_entries.EXTENSION_ADDRESSES, sitemap_entries.GUID}
    return {*hls.KINDS, *hls.NOT_WARMED, *hls.INTERSTITIALS, *of_dash, *of_sitemaps, *TAGS}


def test_every_element_of_readers_and_standards_is_in_a_table() -> None:
    assert len(ROWS) > 40
    assert sorted(known() - LISTED) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"][:40])
def test_row_names_a_test_that_has_its_elements(row: dict[str, str]) -> None:
    text = (TESTS / row["file"]).read_text(encoding="utf-8")
    start = text.find(f"def {row['test']}(")
    assert start >= 0, f"{row['file']} has no test {row['test']}"
    # The file with its fixtures, since parameters and documents stand outside of the test.
    documents = [
        path.read_text(encoding="utf-8", errors="replace") for path in FIXTURES.iterdir() if path.name in text
    ]
    documents.append((ROOT / "tests" / "support" / "source_documents.py").read_text(encoding="utf-8"))
    around = text + "".join(documents)
    missing = [name for name in names(row["what"]) if name not in around and name.strip("$") not in around]
    assert missing == []
