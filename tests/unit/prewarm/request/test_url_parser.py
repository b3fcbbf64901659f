"""Which URLs are accepted, in what form they are fetched, and which are refused."""

import ipaddress
import re
from urllib.parse import urlsplit

import pytest
from ada_url import URL
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.request.url_parser import _HOSTS, _ORIGINS, LONGEST_URL, parse_url
from prewarm.urls import deduplicate, redacted

VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F))
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
hosts = st.tuples(labels, st.sampled_from(["example.com", "d111.cloudfront.net", "xn--bcher-kva.de"])).map(".".join)
# What a browser sends as it is: all but the controls, the space, "<>\ and what ends the part; * is refused.
paths = st.text("".join(set(VISIBLE) - set('"<>\\`{}?#%^*'))).map(lambda text: "/p" + text.replace(".", "-"))
queries = st.text("".join(set(VISIBLE) - set("\"<>#%'*")))


def refusal(text: str) -> str:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_url(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "fetch"),
    [
        ("HTTPS://WWW.Example.COM", "https://www.example.com/"),
        ("  https://www.example.com/a \n", "https://www.example.com/a"),
        ("https://www.example.com:443/a", "https://www.example.com/a"),
        ("http://www.example.com:80/a", "http://www.example.com/a"),
        ("https://www.example.com:/a", "https://www.example.com/a"),
        ("https://www.example.com./a", "https://www.example.com/a"),
        ("https://www.example.com/a#part", "https://www.example.com/a"),
        ("https://www.example.com/a #part", "https://www.example.com/a%20"),
        ("https://www.example.com/?a=1 #part", "https://www.example.com/?a=1%20"),
        ("https://www.example.com/?", "https://www.example.com/?"),
        ("https://www.example.com?#x", "https://www.example.com/?"),
        ("https://www.example.com?a=1", "https://www.example.com/?a=1"),
        ("https://www.example.com/ä?ö=ü", "https://www.example.com/%C3%A4?%C3%B6=%C3%BC"),
        ("https://bücher.de/", "https://xn--bcher-kva.de/"),
        ("https://BÜCHER.de/", "https://xn--bcher-kva.de/"),
        ("https://www.example.com//a//b/", "https://www.example.com//a//b/"),
        ("https://www.example.com/a..b/.c/d.", "https://www.example.com/a..b/.c/d."),
        ("https://www.example.com/%e4%E4", "https://www.example.com/%e4%E4"),
        ("https://www.example.com/a|b^c?{x}|`y`^[]='1'", "https://www.example.com/a|b%5Ec?{x}|`y`^[]=%271%27"),
        ("https://www.example.com/search?q=o'neill", "https://www.example.com/search?q=o%27neill"),
        ("https://www.example.com/o'neill", "https://www.example.com/o'neill"),
        ("https://www.example.com/chart/^GDAXI", "https://www.example.com/chart/%5EGDAXI"),
        ("https://www.example.com/%e3%82%b5%E3?x=%e3%E3", "https://www.example.com/%e3%82%b5%E3?x=%e3%E3"),
        ("https://www.example.com/a b?c d", "https://www.example.com/a%20b?c%20d"),
        ("https://www.example.com/a\u00a0b", "https://www.example.com/a%C2%A0b"),
        (r"https://www.example.com\a\b?c\d", r"https://www.example.com/a/b?c\d"),
        (r"https:\\www.example.com\a", "https://www.example.com/a"),
        ("https://www.example.com/a;b=1;c//d?e=/../f", "https://www.example.com/a;b=1;c//d?e=/../f"),
        ("https://www.example.com/vendors~main.js", "https://www.example.com/vendors~main.js"),
        ("https://日本語.example.com/日本", "https://xn--wgv71a119e.example.com/%E6%97%A5%E6%9C%AC"),
        ("https://www.example。com/", "https://www.example.com/"),
        ('https://www.example.com/{"a"}?<b>', "https://www.example.com/%7B%22a%22%7D?%3Cb%3E"),
    ],
)
def test_url_is_fetched_as_a_browser_requests_it(text: str, fetch: str) -> None:
    assert parse_url(text).fetch == fetch


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.1",
        "192.0.2.1.",
        "127.1",
        "1.2.3",
        "2130706433",
        "0x7f000001",
        "www.example.1",
        "[example.com]",
        "0177.0.0.1",
        "0x7f.1",
        "0x7f.0x1",
        "0x7f.0.0.0x1",
        "www.example.0x",
        "[::1]",
        "[::ffff:192.0.2.1]",
        "[fe80::1%25eth0]",
        "[v1.example.com]",
        "\uff11\uff12\uff17.0.0.1",
        "127。0。0。1",
    ],
)
def test_every_spelling_of_an_ip_address_is_refused(host: str) -> None:
    assert "IP address" in refusal(f"https://{host}/")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("localhost", "not a full domain name"),
        ("www%2eexample.com", "not a full domain name"),
        ("ex%61mple.com", "not a full domain name"),
        ("www.example.com..", "not a full domain name"),
        ("www..example.com", "not a full domain name"),
        (".example.com", "not a full domain name"),
        ("*.example.com", "patterns can be invalidated but not warmed"),
        ("-a.example.com", "not a full domain name"),
        ("a" * 64 + ".example.com", "not a full domain name"),
        ("a." * 130 + "com", "not a full domain name"),
        ("ä" * 70 + ".example.com", "not a full domain name"),
        ("straße.de", "xn-- form"),
        ("www.exam\u200dple.com", "xn-- form"),
        ("www.example.com\uff0fevil.example", "not a full domain name"),
        ("www.example.com\uff1fevil.example", "not a full domain name"),
        ("www.example.com\uff20evil.example", "not a full domain name"),
        ("www.example.com\uff3cevil.example", "not a full domain name"),
        ("user@www.example.com", "user name or password"),
        ("user:pass@www.example.com", "user name or password"),
        ("@www.example.com", "user name or password"),
        ("www.example.com:444", "port 444"),
        ("www.example.com:80", "port 80"),
        ("www.example.com:0", "port 0"),
        ("www.example.com:x", "where a port belongs"),
        ("www.example.com\\@evil.example", "backslash"),
        ("www.exa\tmple.com", "control character"),
        ("www.exa\nmple.com", "control character"),
        ("www.example.com\x00", "control character"),
        ("", "has no host"),
    ],
)
def test_ambiguous_host_is_refused_with_reason(host: str, words: str) -> None:
    assert words in refusal(f"https://{host}/")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("www.example.com/a", "has no scheme"),
        ("//www.example.com/a", "has no scheme"),
        ("ftp://www.example.com/", "scheme 'ftp'"),
        ("javascript:alert(1)", "scheme 'javascript'"),
        ("https:www.example.com", "has no host"),
        ("https:/www.example.com/", "has no host"),
        ("https:///www.example.com/", "has no host"),
        ("https://?a", "has no host"),
        ("https://www.example.com/a\tb", "control character"),
        ("https://www.example.com/a?b\x00", "control character"),
        (r"https://www.example.com/a\..\b", "resolved path"),
        ("https://www.example.com/100%", "%25"),
        ("https://www.example.com/?a=%g0", "%25"),
        ("https://www.example.com/\ud800", "surrogate"),
        ("https://www.example.com/a/../b", "resolved path"),
        ("https://www.example.com/a/%2E./b", "resolved path"),
        ("https://www.example.com/.", "resolved path"),
        ("https://www.example.com/" + "a" * LONGEST_URL, "8,192"),
        ("https://www.example.com/" + "ä" * 1400, "8,424"),
    ],
)
def test_unfetchable_url_is_refused_with_fix(text: str, words: str) -> None:
    assert words in refusal(text)


def test_refusal_truncates_the_given_url() -> None:
    for text in (
        "https://" + "a" * 100_000 + "/",
        "x" * 100_000 + "://www.example.com/",
        "https://[" + "a" * 100_000,
    ):
        assert len(refusal(text)) < 400


def test_dot_segments_in_query_are_kept() -> None:
    assert parse_url("https://www.example.com/a?b=/../c").fetch == "https://www.example.com/a?b=/../c"


def test_longest_url_is_accepted() -> None:
    start = "https://www.example.com/"
    assert parse_url(start + "a" * (LONGEST_URL - len(start))).fetch.endswith("a")


@given(hosts, paths, queries)
def test_host_path_and_query_are_preserved_exactly(host: str, path: str, query: str) -> None:
    url = parse_url(f"https://{host}{path}?{query}")
    assert url.host == host
    assert url.fetch == f"https://{host}{path}?{query}"


# Path, query and fragment of characters that mean something to some parser, any other ASCII ones, and others.
TAILS = st.lists(
    st.sampled_from(
        [*VISIBLE, " ", "%41", "%zz", "/", "\\", "?", "#", "é", "漢", "\U0001f600", "\u00a0", "\ufeff", "\u2028"]
    )
    | st.characters(exclude_categories=["Cs"]),
    max_size=12,
).map("".join)


@settings(max_examples=300)
@given(st.sampled_from(["http", "https"]), TAILS)
def test_path_and_query_are_those_of_the_standards_parser(scheme: str, tail: str) -> None:
    text = f"{scheme}://www.example.com/p{tail}".strip()
    try:
        fetch = parse_url(text).fetch
    except ValueError:
        return
    assert fetch == URL(text).href.partition("#")[0]


HOSTS = st.lists(
    st.sampled_from(
        ["xn--", "bcher-kva", "XN--", "wgv71a119e", "--", "ls8h", "a", "0x7f", "1", "-", ".", "é", "漢", "\u0301"]
    )
    | st.text("abcxn-0123456789", min_size=1, max_size=6),
    max_size=6,
).map("".join)


@settings(max_examples=300)
@given(HOSTS)
def test_accepted_host_is_that_of_the_standards_parser(host: str) -> None:
    try:
        accepted = parse_url(f"https://{host}.example/").host
    except ValueError:
        return
    assert accepted == URL(f"https://{host}.example/").hostname


SIGNS = ["https://", "http:", "//", "@", ":", "\\", "/", "?", "#", "[", "]", "%2e", ".", "%00", "\t", " "]
NAMES = ["www.example.com", "evil.example", "127", "0x7f", "::1", "443", "é", "ß"]
# Full-width dot, solidus and digit, ideographic full stop, joiner, circled twelve, double-struck C, Kelvin sign.
LOOKALIKES = ["\uff0e", "\uff0f", "\uff11", "\u3002", "\u200d", "\u246b", "\u2102", "\u212a"]


@given(st.lists(st.sampled_from(SIGNS + NAMES + LOOKALIKES), max_size=9).map("".join))
def test_accepted_url_has_one_host_and_parses_to_itself(text: str) -> None:
    try:
        url = parse_url(text)
    except ValueError:
        return
    assert url.fetch.isascii()
    assert not set(url.fetch) & set(' "<>\t\n')
    assert parse_url(url.fetch).fetch == url.fetch
    parts = urlsplit(url.fetch)
    assert (parts.scheme, parts.netloc, parts.hostname) == (url.scheme, url.host, url.host)
    with pytest.raises(ValueError, match="does not appear"):
        ipaddress.ip_address(url.host)
    assert not url.host.rpartition(".")[2].isdigit()


@given(st.lists(st.sampled_from("AaBbCc"), max_size=12))
def test_duplicates_are_dropped_and_first_spelling_keeps_its_place(letters: list[str]) -> None:
    kept = [url.given for url in deduplicate([parse_url(f"https://{letter}.example.com") for letter in letters])]
    firsts = [letter for i, letter in enumerate(letters) if letter.lower() not in map(str.lower, letters[:i])]
    assert kept == [f"https://{letter}.example.com" for letter in firsts]


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://h.com/?Signature=s3&x=1", "https://h.com/?Signature=…&x=1"),
        ("https://h.com/?x=1&X-Amz-Signature=s3#f", "https://h.com/?x=1&X-Amz-Signature=…#f"),
        ("https://h.com/?csrf_TOKEN=s3&api-key=s3", "https://h.com/?csrf_TOKEN=…&api-key=…"),
        ("https://h.com/?client_secret=&auth=s3", "https://h.com/?client_secret=&auth=…"),
        ("https://h.com/token=a/?tokens=3", "https://h.com/token=a/?tokens=…"),
        ("https://user:s3@h.com/a@b", "https://…@h.com/a@b"),
    ],
)
def test_secrets_are_not_shown_and_all_else_is(url: str, seen: str) -> None:
    assert redacted(url) == seen


@given(
    scheme=st.sampled_from(["http", "https", "HTTPS"]),
    host=st.text("ab01-.x_N", min_size=1, max_size=12),
    tail=st.text("/ab.-~%3?#*;:=@^'\\", max_size=12),
)
def test_short_way_for_plain_urls_gives_what_the_parser_gives(scheme: str, host: str, tail: str) -> None:
    text = f"{scheme}://{host}/{tail}"
    with pytest.MonkeyPatch.context() as patch:
        for pattern in ("PLAIN", "PLAIN_PATH", "PLAIN_HOST", "PLAIN_TAIL"):
            patch.setattr(f"prewarm.request.url_parser.{pattern}", re.compile("(?!)"))
        _HOSTS.clear()
        expected = result(text)
    _HOSTS.clear()
    _ORIGINS.clear()
    assert result(text) == expected
    # Now, as after any plain URL of it, the host may be known.
    result(f"{scheme}://{host}/")
    assert result(text) == expected


def result(text: str) -> object:
    try:
        return parse_url(text)
    except ValueError as error:
        return str(error)
