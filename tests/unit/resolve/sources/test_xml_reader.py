"""XML as a stream: repaired where warming does not need the rest, refused where it could expand or never end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolve.sources.boundary import Unreadable
from resolve.sources.budget import Budget
from resolve.sources.decode import text_pieces
from resolve.sources.xml_reader import read_xml, repaired

BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
FILE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><urlset><url><loc>&f;</loc></url></urlset>'
DEFAULTS = b'<!DOCTYPE x [<!ATTLIST x y CDATA "long">]><x/>'


class Recorder:
    """Records a document's elements and texts."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.seen.append(f"<{name} {line} {attributes}>" if attributes else f"<{name} {line}>")

    def end(self, name: str) -> None:
        self.seen.append(f"</{name}>")

    def text(self, data: str) -> None:
        if data.strip():
            self.seen.append(data.strip())


def read(body: bytes, size: int = 65_536) -> list[str]:
    recorder = Recorder()
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    read_xml(text_pieces(parts), recorder, Budget())
    return recorder.seen


@pytest.mark.parametrize("body", [BOMB, FILE, DEFAULTS, BOMB.decode().encode("utf-16")])
def test_document_type_with_declarations_is_refused_before_it_has_an_effect(body: bytes) -> None:
    with pytest.raises(Unreadable, match="document type"):
        read(body)


def test_document_type_without_declarations_is_read() -> None:
    assert read(b'<!DOCTYPE urlset SYSTEM "sitemap.dtd"><urlset/>') == ["<urlset 1>", "</urlset>"]


@pytest.mark.parametrize("body", [b"", b"<a>", b"<a></b>", b"\xff\xfe", b"text", b"<a b=1/>", b"<a><a", b"<!--"])
def test_invalid_xml_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable, match="is not XML"):
        read(body)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a&amp;b", "a&b"),
        ("?a=1&b=2", "?a=1&b=2"),
        ("caf&eacute;", "café"),
        ("a&nosuch;b", "a\ufffdb"),
        ("&#233;&#xe9;", "éé"),
        ("&#0;&#x110000;", "\ufffd\ufffd"),
        ("a\x0bb", "a\ufffdb"),
        ("<![CDATA[a&eacute;<b]]>", "a&eacute;<b"),
        ("a<!-- <b> & -->c", "ac"),
        ("a<?php echo '<b>' ?>c", "ac"),
        ("&LT;", "<"),
        ("&", "&"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_text_is_repaired(text: str, meant: str, size: int) -> None:
    assert "".join(read(f"<x>{text}</x>".encode(), size)[1:-1]) == meant


def test_lines_are_those_of_the_document() -> None:
    assert read(b"<x>\n<!-- \n\n --><?a\n?><y/></x>")[1] == "<y 5>"


def test_text_after_the_root_is_ignored() -> None:
    assert read(b"<x/>\nWarning: <b>unclosed") == ["<x 1>", "</x>"]


def test_nesting_and_tags_are_bounded() -> None:
    with pytest.raises(Unreadable, match="nested deeper than 64"):
        read(b"<a>" * 65)
    with pytest.raises(Unreadable, match="tag longer than 1 MB"):
        read(b"<a b='" + b"x" * 2_000_000)


@given(st.text(alphabet="<!-[CDAT]>?&;#x1 eacute\n", max_size=200), st.integers(1, 9))
def test_pieces_do_not_change_the_repair(text: str, size: int) -> None:
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    assert "".join(repaired(parts)) == "".join(repaired([text]))
