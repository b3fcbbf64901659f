"""DASH presentations: segments from templates, timelines and lists, and invalid presentations."""

import time
from typing import Any

import pytest

from resolve.sources import dash, dash_timing, dash_tree
from tests.support.source_reading import SITE, manifest_of, reasons

LOWEST = {"renditions": "lowest"}


def mpd(inner: str, **attributes: str) -> bytes:
    all_attributes = {"type": "static", "mediaPresentationDuration": "PT10S"} | attributes
    text = " ".join(f'{name}="{value}"' for name, value in all_attributes.items())
    return f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {text}>{inner}</MPD>'.encode()


def segments(inner: str, options: dict[str, Any] | None = None, **attributes: str) -> list[str]:
    return manifest_of(mpd(inner, **attributes), **options or {})[0]


def one_set(description: str, *, representations: str = '<Representation id="a" bandwidth="9"/>') -> str:
    return f"<Period><AdaptationSet>{description}{representations}</AdaptationSet></Period>"


TIMELINE = '<SegmentTemplate media="$Time$"><SegmentTimeline>{}</SegmentTimeline></SegmentTemplate>'
NUMBERED = (
    '<SegmentTemplate timescale="2" duration="8" startNumber="5" initialization="$RepresentationID$/i" '
    'media="$RepresentationID$/$Number%03d$-$Bandwidth$"/>'
)


def test_numbered_segments_cover_the_presentation() -> None:
    assert segments(one_set(NUMBERED)) == ["a/i", "a/005-9", "a/006-9", "a/007-9"]
    assert segments(one_set(NUMBERED), {"max_segments": 2}) == ["a/i", "a/005-9", "a/006-9"]


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
    assert dash_timing.duration(text) == seconds


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ('<SegmentTemplate duration="1" timescale="1000000" media="$Number$"/>', "1,000 segments or more"),
        (TIMELINE.format('<S d="1" r="999999999999"/>'), "1,000 segments or more"),
        (TIMELINE.format('<S d="1" r="998"/><S d="1"/>'), "1,000 segments or more"),
        (TIMELINE.format(""), "an empty SegmentTimeline"),
        (TIMELINE.format('<S d="0" r="9"/>'), "zero length"),
        (TIMELINE.format('<S d="1" r="x"/>'), "not a whole number"),
        (TIMELINE.format('<S d="1" k="2"/>'), "segment sequences"),
        ('<SegmentTemplate media="$Number$"/>', "neither a SegmentTimeline nor a finite duration"),
        ('<SegmentTemplate duration="-5" media="$Number$"/>', "is not a whole number"),
        ('<SegmentTemplate duration="1" startNumber="x" media="$Number$"/>', "is not a whole number"),
        ('<SegmentTemplate duration="1" media="$Number%x$"/>', "identifier"),
        ('<SegmentTemplate duration="1" media="$Number$-$SubNumber$"/>', "partial segments"),
        ("", "neither segments nor a BaseURL"),
    ],
)
def test_representation_that_cannot_be_read_is_skipped_with_the_reason(
    description: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dash_timing, "URLS_AT_MOST", 1_000)
    good = '<AdaptationSet><Representation id="w"><BaseURL>whole.mp4</BaseURL></Representation></AdaptationSet>'
    urls, report = manifest_of(mpd(one_set(description).replace("</Period>", f"{good}</Period>")))
    assert urls == ["whole.mp4"], "segments are counted before the first is taken"
    assert (report.parts, report.parts_skipped) == (2, 1)
    (reason,) = reasons(report)
    assert words in reason


def test_dynamic_presentation_is_live() -> None:
    assert dash.is_live(dash_tree.Node("MPD", {"type": "dynamic"}, 1))
    assert not dash.is_live(dash_tree.Node("MPD", {}, 1))


def test_addresses_of_every_kind_are_warmed() -> None:
    description = (
        '<SegmentTemplate duration="10" media="$Number$" index="$Number$.idx" bitstreamSwitching="bs" '
        'initialization="i"><RepresentationIndex sourceURL="r.idx"/></SegmentTemplate>'
    )
    assert segments(one_set(description)) == ["r.idx", "bs", "i", "1", "1.idx"]
    base = '<SegmentBase><Initialization sourceURL="i.mp4"/><RepresentationIndex sourceURL="x.sidx"/></SegmentBase>'
    whole = f"<Representation id='w' bandwidth='1'><BaseURL>whole.mp4</BaseURL>{base}</Representation>"
    assert segments(one_set("", representations=whole)) == ["i.mp4", "x.sidx", "whole.mp4"]
    listed = '<SegmentList><SegmentURL media="1" index="1.idx"/><BitstreamSwitching sourceURL="bs"/></SegmentList>'
    assert segments(one_set(listed)) == ["bs", "1", "1.idx"]


def test_numbers_of_a_timeline_are_its_own() -> None:
    line = '<SegmentTimeline><S t="0" d="1" n="7" r="1"/><S d="1" n="20"/></SegmentTimeline>'
    media = f'<SegmentTemplate media="$Number$" endNumber="{{}}">{line}</SegmentTemplate>'
    assert segments(one_set(media.format(99))) == ["7", "8", "20"]
    assert segments(one_set(media.format(8))) == ["7", "8"]


def test_base_url_of_another_cdn_is_skipped_once() -> None:
    bases = "<BaseURL>https://cdn.example.net/v/</BaseURL><BaseURL>own/</BaseURL>"
    urls, report = manifest_of(mpd(bases + one_set(NUMBERED)))
    assert urls == ["own/a/i", "own/a/005-9", "own/a/006-9", "own/a/007-9"]
    assert report.skipped == 1
    urls, report = manifest_of(mpd("<BaseURL>https://cdn.example.net/v/</BaseURL>" + one_set(NUMBERED)))
    assert (urls, report.mostly_skipped) == ([], True)


@pytest.mark.parametrize(
    "element",
    [
        "<Location>https://www.example.com/other.mpd</Location>",
        "<PatchLocation>patch.mpp</PatchLocation>",
        '<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="https://time.example.net/"/>',
        '<ImportedMPD uri="https://www.example.com/other.mpd"/>',
        "<ContentProtection><Laurl>https://licence.example.net/</Laurl></ContentProtection>",
        "<ContentSteering>https://steer.example.net/</ContentSteering>",
    ],
)
def test_address_that_warming_does_not_need_is_counted(element: str) -> None:
    urls, report = manifest_of(mpd(element + one_set(NUMBERED)))
    assert len(urls) == 4
    assert (report.skipped, len(report.left_out)) == (0, 1)


@pytest.mark.parametrize(
    ("template", "count"),
    [('<AdaptationSet xlink:href="a.xml"/>', 1), ('<Period xlink:href="urn:mpeg:dash:resolve-to-zero:2013"/>', 0)],
)
def test_part_in_another_document_is_skipped(template: str, count: int) -> None:
    inner = one_set(NUMBERED).replace(
        "</Period>", f"{template}</Period>" if "Set" in template else f"</Period>{template}"
    )
    _, report = manifest_of(mpd(inner, **{"xmlns:xlink": "http://www.w3.org/1999/xlink"}))
    assert report.skipped == count


def test_most_skipped_representations_are_an_alarm() -> None:
    assert manifest_of(mpd(one_set('<SegmentTemplate initialization="i" media="$Number$"/>')))[1].mostly_skipped


def test_addresses_are_resolved_against_the_manifest() -> None:
    urls = segments(one_set('<SegmentTemplate duration="10" media="../x/$Number$"/>'))
    assert urls == [f"{SITE}/x/1"]


def test_offset_moves_the_end_of_a_timeline() -> None:
    line = '<SegmentTimeline><S t="100" d="5" r="-1"/></SegmentTimeline>'
    media = f'<SegmentTemplate media="$Time$" presentationTimeOffset="100">{line}</SegmentTemplate>'
    assert segments(one_set(media)) == ["100", "105"]


@pytest.mark.parametrize("entries", ['<S t="0" d="1" r="999999999999"/>', '<S d="1"/>' * 3 + '<S d="1" r="999999"/>'])
def test_billions_of_segments_take_no_time(entries: str) -> None:
    before = time.process_time()
    urls, report = manifest_of(mpd(one_set(TIMELINE.format(entries))))
    assert time.process_time() - before < 1
    assert urls == []
    assert list(reasons(report)) == ["it lists 1,000,000 segments or more; set max_segments"]
    listed = segments(one_set(TIMELINE.format(entries)), {"max_segments": 4})
    assert listed == ["0", "1", "2", "3"]


@pytest.mark.parametrize(("first", "last", "expected"), [(5, 6, ["5", "6"]), (5, 4, []), (5, 3, []), (0, 0, ["0"])])
def test_end_number_is_the_last_segment(first: int, last: int, expected: list[str]) -> None:
    numbers = f'startNumber="{first}" endNumber="{last}" media="$Number$"'
    assert segments(one_set(f'<SegmentTemplate duration="1" {numbers}/>')) == expected
    line = '<SegmentTimeline><S t="0" d="1" r="1"/><S d="2" r="5"/></SegmentTimeline>'
    assert segments(one_set(f"<SegmentTemplate {numbers}>{line}</SegmentTemplate>")) == expected
