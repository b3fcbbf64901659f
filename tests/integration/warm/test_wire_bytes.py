"""The request target on the wire is, byte for byte, the path and query of the URL's fetch form."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prewarm.request.url_parser import parse_url
from tests.support.edge_urls import HOST
from tests.support.raw_edge import fetch_each, http1_edge, http2_edge

# Each as it is given, and the bytes that a browser sends for it.
TARGETS = {
    "/%e3%82%b5%e3%82%a4%e3%83%88/": b"/%e3%82%b5%e3%82%a4%e3%83%88/",
    "/%E3%82%B5/": b"/%E3%82%B5/",
    "/a%2fb?next=%2fhome": b"/a%2fb?next=%2fhome",
    "/search?q=o'neill": b"/search?q=o%27neill",
    "/o'neill": b"/o'neill",
    "/chart/^GDAXI": b"/chart/%5EGDAXI",
    "/chart?s=^GDAXI": b"/chart?s=^GDAXI",
    "//two//slashes/": b"//two//slashes/",
    "/a;b=1;c?d;e": b"/a;b=1;c?d;e",
    "/empty?": b"/empty?",
    "?": b"/?",
    "/?": b"/?",
    "/{a}|b": b"/%7Ba%7D|b",
    "/q?{a}|b`[]^": b"/q?{a}|b`[]^",
    "/[x]": b"/[x]",
    r"/back\slash?a\b": rb"/back/slash?a\b",
    "/ä?ö": b"/%C3%A4?%C3%B6",
    "/~anna/vendors~main.js": b"/~anna/vendors~main.js",
    "/vendors%7Emain.js": b"/vendors%7Emain.js",
    "/a b?c d": b"/a%20b?c%20d",
    "/:80/@x:y": b"/:80/@x:y",
    "/http://other.example.com/": b"/http://other.example.com/",
    "/a..b/.c?/../d": b"/a..b/.c?/../d",
}


@pytest.mark.parametrize("head", [False, True], ids=["get", "head"])
def test_http1_target_is_the_browsers_form_byte_for_byte(head: bool) -> None:
    urls = [parse_url(f"http://{HOST}{given}").fetch for given in TARGETS]
    with http1_edge() as (edge, fetcher):
        responses = fetch_each(fetcher, urls, head=head)
    assert edge.targets == list(TARGETS.values())
    assert {(response.error, response.status) for response in responses} == {(0, 200)}


def test_http2_path_is_the_browsers_form_byte_for_byte(tmp_path: Path) -> None:
    urls = [parse_url(f"https://{HOST}{given}").fetch for given in TARGETS]
    with http2_edge(tmp_path) as (edge, fetcher):
        responses = fetch_each(fetcher, urls)
    assert edge.targets == list(TARGETS.values())
    assert {(response.error, response.status) for response in responses} == {(0, 200)}


def test_any_accepted_url_is_sent_as_its_fetch_form(tmp_path: Path) -> None:
    with http1_edge() as (one, fetcher1), http2_edge(tmp_path) as (two, fetcher2):

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40))
        def check(text: str) -> None:
            try:
                fetch = parse_url(f"https://{HOST}/{text}").fetch
            except ValueError:
                return
            target = fetch.removeprefix(f"https://{HOST}").encode("ascii")
            fetch_each(fetcher2, [fetch])
            fetch_each(fetcher1, [fetch.replace("https:", "http:")])
            assert (one.targets[-1], two.targets[-1]) == (target, target)

        check()
