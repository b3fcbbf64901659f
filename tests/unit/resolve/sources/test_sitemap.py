"""Sitemaps: entries, modification days and limits."""

import datetime as dt

import pytest

from resolve.sources.sitemap import ENTRIES_AT_MOST, last_day, read_entries
from tests.support.source_documents import SITEMAP_NAMESPACE, sitemap


def test_sitemap_entries_are_in_order() -> None:
    kind, entries = read_entries(sitemap(("https://a/1?x=1&amp;y=2", "2026-11-01"), ("https://a/2", "")))
    assert kind == "urlset"
    assert [(entry.address, entry.modified) for entry in entries] == [
        ("https://a/1?x=1&y=2", dt.date(2026, 11, 1)),
        ("https://a/2", None),
    ]


def test_elements_of_other_namespaces_are_ignored() -> None:
    body = (
        f'<urlset {SITEMAP_NAMESPACE} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url>'
        "<loc>https://a/1</loc><image:image><image:loc>https://a/i.jpg</image:loc></image:image></url></urlset>"
    )
    assert [entry.address for entry in read_entries(body.encode())[1]] == ["https://a/1"]


def test_text_sitemap_has_one_url_per_line() -> None:
    kind, entries = read_entries("﻿https://a/1\r\n\r\n https://a/2 \n".encode())
    assert (kind, [entry.address for entry in entries]) == ("text", ["https://a/1", "https://a/2"])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-24", dt.date(2026, 11, 24)),
        ("2026-11-24T10:00:00+01:00", dt.date(2026, 11, 24)),
        (" 2026-11 ", dt.date(2026, 11, 30)),
        ("2026", dt.date(2026, 12, 31)),
        ("2024-02", dt.date(2024, 2, 29)),
        ("yesterday", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("", None),
    ],
)
def test_last_day_is_the_end_of_the_modification_period(text: str, day: dt.date | None) -> None:
    assert last_day(text) == day


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html></html>", "is not a sitemap: its root element is <html>"),
        (sitemap(*([("https://a/", "")] * (ENTRIES_AT_MOST + 1))), "lists 50,001 entries"),
        (b"\n".join([b"https://a/"] * (ENTRIES_AT_MOST + 1)), "lists 50,001 entries"),
    ],
)
def test_other_xml_or_too_many_entries_are_rejected(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_entries(body)
