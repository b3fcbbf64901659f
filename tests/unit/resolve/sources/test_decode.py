"""Decoding: gzip within a size limit, and text in the encoding that a document has."""

import gzip
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolve.sources.decode import decompressed, encoding_of, strict_text_pieces, text_pieces


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


def test_many_tiny_gzip_members_take_linear_time() -> None:
    member = gzip.compress(b"", mtime=0)
    started = time.process_time()
    assert decompressed(member * 100_000, 10) == b""
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"abc", "utf-8"),
        ("abc".encode("utf-16"), "utf-16"),
        ("abc".encode("utf-16-be"), "utf-16-be"),
        ("abc".encode("utf-32"), "utf-32"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>', "iso8859-1"),
        (b'<?xml version="1.0" encoding="windows-1252"?>', "cp1252"),
        (b'<?xml version="1.0" encoding="UT8"?>', "utf-8"),
        (b'<?xml version="1.0" encoding="zlib"?>', "utf-8"),
        (b'<?xml version="1.0" encoding="unicode_escape"?>', "utf-8"),
        (b'<?xml version="1.0" encoding="utf-16"?>', "utf-8"),
    ],
)
def test_encoding_is_that_of_the_mark_the_zeros_or_the_declaration(body: bytes, encoding: str) -> None:
    assert encoding_of(body) == encoding


# A NUL is in no text document, and next to the first character it is what UTF-16 without a mark looks like.
@given(
    st.text(st.characters(exclude_characters="\0"), max_size=300),
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
    st.integers(1, 7),
)
def test_text_in_pieces_is_the_whole_text(text: str, encoding: str, size: int) -> None:
    body = f"<{text}".encode(encoding, "replace")
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    assert "".join(text_pieces(parts)) == body.decode(encoding)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.integers(1, 9),
)
def test_text_in_pieces_of_any_size_is_decoded(text: str, encoding: str, size: int) -> None:
    # What begins with zeros or a mark is taken for another encoding.
    body = ("x" + text).encode(encoding)
    pieces = [body[:8], *(body[at : at + size] for at in range(8, len(body), size))]
    assert "".join(strict_text_pieces(iter(pieces))) == "x" + text


@pytest.mark.parametrize(("size", "first"), [(1, 8), (7, 8), (100, 8), (100, 100)])
@pytest.mark.parametrize(
    ("body", "before", "after"),
    [
        (b"one\ntwo\r\nthr\xe9e\nfour", "one\ntwo\r\nthr", 2),
        (b"one\rtw\xc3\xb6\rthree\xc3", "one\rtw\u00f6\rthree", 2),
        ("one\ntwo\n".encode("utf-16") + b"\x00\xdc\x00", "one\ntwo\n", 2),
    ],
)
def test_text_before_a_byte_of_no_character_is_yielded_and_its_lines_are_counted(
    body: bytes, before: str, after: int, size: int, first: int
) -> None:
    pieces = [body[:first], *(body[at : at + size] for at in range(first, len(body), size))]
    decoded: list[str] = []
    with pytest.raises(ValueError, match=rf"is not text in UTF-(8|16).*: .*, after line {after}; save it as UTF-8"):
        decoded.extend(strict_text_pieces(iter(pieces)))
    assert "".join(decoded) == before
