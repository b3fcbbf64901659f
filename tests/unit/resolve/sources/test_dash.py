"""DASH presentations: segments from templates, timelines and lists, and invalid presentations."""

from typing import Any

import pytest

from prewarm.request.url_sources import ManifestSource
from resolve.sources import dash
from resolve.sources.decode import read_xml

BASE = "https://www.example.com/v/top.mpd"
ALL, LOWEST = ManifestSource(url=BASE), ManifestSource(url=BASE, renditions="lowest")


def mpd(inner: str, **attributes: str) -> Any:
    all_attributes = {"type": "static", "mediaPresentationDuration": "PT10S"} | attributes
    text = " ".join(f'{name}="{value}"' for name, value in all_attributes.items())
    return read_xml(f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {text}>{inner}</MPD>'.encode())


def segments(inner: str, source: ManifestSource = ALL, **attributes: str) -> list[str]:
    base = "https://www.example.com/v/"
    return [url.removeprefix(base) for url in dash.segments(mpd(inner, **attributes), BASE, source)]


def one_set(description: str, *, representations: str = '<Representation id="a" bandwidth="9"/>') -> str:
    return f"<Period><AdaptationSet>{description}{representations}</AdaptationSet></Period>"


TIMELINE = '<SegmentTemplate media="$Time$"><SegmentTimeline>{}</SegmentTimeline></SegmentTemplate>'
NUMBERED = (
    '<SegmentTemplate timescale="2" duration="8" startNumber="5" initialization="$RepresentationID$/i" '
    'media="$RepresentationID$/$Number%03d$-$Bandwidth$"/>'
)


def test_numbered_segments_cover_the_presentation() -> None:
    assert segments(one_set(NUMBERED)) == ["a/i", "a/005-9", "a/006-9", "a/007-9"]
    assert segments(one_set(NUMBERED), ManifestSource(url=BASE, max_segments=2)) == ["a/i", "a/005-9", "a/006-9"]


def test_lowest_selects_one_representation_of_each_set() -> None:
    two = '<Representation id="hi" bandwidth="900"/><Representation id="lo" bandwidth="90"/>'
    sets = one_set(NUMBERED, representations=two) + one_set(NUMBERED)
    listed = segments(sets.replace("</Period><Period>", ""), LOWEST, mediaPresentationDuration="PT4S")
    assert [text for text in listed if text.endswith("/i")] == ["lo/i", "a/i"]


def test_timeline_has_times_repeats_and_gaps() -> None:
    line = '<SegmentTimeline><S t="100" d="10" r="2"/><S d="5"/><S t="500" d="7"/></SegmentTimeline>'
    listed = segments(one_set(f'<SegmentTemplate media="$Time$.m4s">{line}</SegmentTemplate>'))
    assert listed == ["100.m4s", "110.m4s", "120.m4s", "130.m4s", "500.m4s"]


def test_repeat_without_a_count_ends_at_the_next_entry_or_the_period_end() -> None:
    line = '<SegmentTimeline><S t="0" d="3" r="-1"/><S t="8" d="1" r="-1"/></SegmentTimeline>'
    listed = segments(one_set(f'<SegmentTemplate media="$Time$">{line}</SegmentTemplate>'))
    assert listed == ["0", "3", "6", "8", "9"]


def test_segment_lists_single_files_and_base_urls_are_resolved() -> None:
    segment_list = (
        '<SegmentList><Initialization sourceURL="i.mp4"/><SegmentURL media="1"/><SegmentURL media="2"/></SegmentList>'
    )
    assert segments(one_set(segment_list)) == ["i.mp4", "1", "2"]
    whole = "<Representation id='w' bandwidth='1'><BaseURL>whole.mp4</BaseURL><SegmentBase/></Representation>"
    assert segments("<BaseURL>deep/</BaseURL>" + one_set("", representations=whole)) == ["deep/whole.mp4"]


def test_each_period_has_its_own_duration() -> None:
    period = '<Period start="{0}"><AdaptationSet>' + NUMBERED + '<Representation id="{1}"/></AdaptationSet></Period>'
    listed = segments(period.format("PT0S", "a") + period.format("PT4S", "b"))
    assert [text for text in listed if "/i" not in text] == ["a/005-0", "b/005-0", "b/006-0"]


@pytest.mark.parametrize(
    ("text", "filled"),
    [("$$", "$"), ("a$Number$", "a7"), ("$Number%05d$", "00007"), ("$Time$", ""), ("$Unknown$", "$Unknown$")],
)
def test_template_identifiers_are_filled_in(text: str, filled: str) -> None:
    assert dash.filled(text, {"Number": "7"}) == filled


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT1H2M3.5S", 3723.5), ("P1DT1S", 86401), ("PT0S", 0), ("", None), ("PT-1S", None), ("1", None)],
)
def test_duration_is_in_seconds_or_none(text: str, seconds: float | None) -> None:
    assert dash.duration(text) == seconds


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ('<SegmentTemplate duration="1" timescale="1000000" media="$Number$"/>', "more than 1,000 segments"),
        (TIMELINE.format('<S d="1" r="999999999999"/>'), "more than 1,000 segments"),
        (TIMELINE.format('<S d="0" r="9"/>'), "zero length"),
        ('<SegmentTemplate media="$Number$"/>', "neither a SegmentTimeline nor a finite duration"),
        ('<SegmentTemplate duration="-5" media="$Number$"/>', "is not a whole number"),
        ('<SegmentTemplate duration="1" startNumber="x" media="$Number$"/>', "startNumber='x'"),
    ],
)
def test_endless_or_invalid_presentation_is_rejected(
    description: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dash, "URLS_AT_MOST", 1_000)
    with pytest.raises(ValueError, match=words):
        segments(one_set(description))


def test_dynamic_presentation_is_live() -> None:
    assert dash.is_live(mpd("", type="dynamic"))
    assert not dash.is_live(mpd(""))
