"""Decoding: gzip within a size limit, and XML without a document type."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolve.sources.decode import decompressed, read_xml


@given(st.binary(max_size=2_000), st.integers(1, 3))
def test_gzip_of_several_members_is_decompressed(body: bytes, members: int) -> None:
    packed = b"".join(gzip.compress(body) for _ in range(members))
    assert decompressed(packed, 10_000) == body * members


def test_uncompressed_body_is_unchanged() -> None:
    assert decompressed(b"<urlset/>", 5) == b"<urlset/>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (gzip.compress(bytes(10_000_001), mtime=0), "larger than 10,000,000 bytes decompressed"),
        (gzip.compress(b"abc" * 99, mtime=0)[:-9], "ends too early"),
        (b"\x1f\x8b\x08\x00garbage", "broken gzip"),
    ],
    ids=["bomb", "cut", "garbage"],
)
def test_gzip_bomb_or_broken_gzip_is_rejected(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decompressed(body, 10_000_000)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
FILE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><urlset><url><loc>&f;</loc></url></urlset>'


@pytest.mark.parametrize("body", [BOMB, FILE, BOMB.decode().encode("utf-16")])
def test_document_type_is_rejected_before_its_entities_are_read(body: bytes) -> None:
    with pytest.raises(ValueError, match="document type"):
        read_xml(body)


@pytest.mark.parametrize("body", [b"", b"<a>", b"<a></b>", b"\xff\xfe", b"<urlset>&nbsp;</urlset>"])
def test_invalid_xml_is_rejected(body: bytes) -> None:
    with pytest.raises(ValueError, match="is not XML"):
        read_xml(body)
