"""What a caller hands over: URLs, selections, fields; and the words in which it is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import catalogue
from prewarm.errors import InvalidRequest
from prewarm.request import check_request
from prewarm.selection import expand
from prewarm.urls import deduplicate, parse_url, redacted

URL = "https://www.example.com/index.html"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "region", "region": ["eu"]}


def refusal(document: object, *, direct: bool = False) -> str:
    with pytest.raises(InvalidRequest) as refused:
        check_request(document, direct=direct)
    return refused.value.message()


@pytest.mark.parametrize(
    ("text", "fetch"),
    [
        ("HTTPS://WWW.Example.COM", "https://www.example.com/"),
        ("https://www.example.com:443/a", "https://www.example.com/a"),
        ("http://www.example.com:80/a#top", "http://www.example.com/a"),
        ("https://www.example.com/a?B=C&b=%2F", "https://www.example.com/a?B=C&b=%2F"),
        ("https://www.example.com/a?", "https://www.example.com/a?"),
        ("https://www.example.com/ä", "https://www.example.com/%C3%A4"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("  https://www.example.com/ ", "https://www.example.com/"),
        ("https://www.example.com./", "https://www.example.com/"),
        ("https://www.example.com//a//b", "https://www.example.com//a//b"),
    ],
)
def test_a_url_is_fetched_in_one_form_with_path_and_query_to_the_letter(text: str, fetch: str) -> None:
    assert parse_url(text).fetch == fetch


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("www.example.com/a", "no scheme"),
        ("ftp://www.example.com/", "ftp"),
        ("https://user:secret@www.example.com/", "user name"),
        ("https://www.example.com:8443/", "8443"),
        ("http://www.example.com:443/", "443"),
        ("https://127.0.0.1/", "IP address"),
        ("https://[::1]/", "IP address"),
        ("https://2130706433/", "full domain name"),
        ("https://0x7f.1/", "IP address"),
        ("https://127.1/", "IP address"),
        ("https://localhost/", "full domain name"),
        ("https:///a", "no host"),
        ("https://www.example.com\\@evil.example/", "backslash"),
        ("https://www.exa\tmple.com/", "control character"),
        ("https://www.example.com/a b", "space"),
        ("https://www%2eexample.com/", "full domain name"),
        ("https://www.example.com/%zz", "%25"),
        ("https://www.example.com/a/../b", "resolved path"),
        ("https://www.example.com:99999/", "cannot be read"),
        ("https://-bad-.example.com/", "full domain name"),
        ("https://www.example.com/" + "a" * 8192, "8,192"),
    ],
)
def test_what_no_distribution_could_serve_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        parse_url(text)
    assert word in str(refused.value)


@given(st.text(max_size=60).map(lambda tail: "https://www.example.com/" + tail) | st.text(max_size=60))
def test_the_fetched_form_is_a_fixed_point_and_stays_at_its_host(text: str) -> None:
    try:
        url = parse_url(text)
    except ValueError:
        return
    again = parse_url(url.fetch)
    assert again.fetch == url.fetch
    assert url.fetch.isascii()
    assert url.fetch.startswith(f"{url.scheme}://{url.host}/") or "?" in url.fetch
    if text.startswith("https://www.example.com/"):
        assert url.host == "www.example.com"


def test_urls_that_fetch_the_same_count_once_and_the_first_spelling_stays() -> None:
    urls = [parse_url(text) for text in ("https://B.example.com", "https://a.example.com/", "https://b.example.com/")]
    assert [url.given for url in deduplicate(urls)] == ["https://B.example.com", "https://a.example.com/"]


def test_signatures_and_tokens_are_not_shown() -> None:
    shown = redacted("https://www.example.com/a?v=1&Signature=abc&Key-Pair-Id=K1&Policy=p&access_token=t&page=2")
    assert shown == "https://www.example.com/a?v=1&Signature=…&Key-Pair-Id=…&Policy=…&access_token=…&page=2"


def test_both_spellings_and_a_bare_string_are_taken() -> None:
    old = check_request({"url_list": [URL], "target_type": "region", "region": "eu"})
    assert old.pops == check_request(GOOD).pops
    assert len(old.pops) == 145


@pytest.mark.parametrize("region_type", ["pop", "country", "region"])
def test_all_means_every_pop_of_the_standard_partition(region_type: str) -> None:
    pops = check_request(GOOD | {"region_type": region_type, "region": "all"}).pops
    assert len(pops) == 537
    assert not any(pop.endswith("-E1") for pop in pops)


@pytest.mark.parametrize(
    ("region_type", "names", "countries"),
    [
        ("region", ["apac"], {"AU", "HK", "ID", "IN", "JP", "KR", "MY", "NZ", "PH", "SG", "TH", "TW", "VN"}),
        ("region", ["sa"], {"AR", "BR", "CL", "CO", "PE", "ZA"}),
        ("region", ["au"], {"AU", "NZ"}),
        ("country", ["China"], {"HK", "SG"}),
        ("country", ["New Zealand", "new-zealand", "nz"], {"NZ"}),
        ("country", ["de", "south_korea"], {"DE", "KR"}),
    ],
)
def test_names_mean_the_countries_of_the_contract(region_type: str, names: list[str], countries: set[str]) -> None:
    pops, problems = expand(region_type, names, catalogue())
    assert not problems
    assert {catalogue().pops[pop].location.country for pop in pops} == countries
    assert len(pops) == len(set(pops))


def test_pops_keep_the_order_in_which_they_were_asked_for() -> None:
    assert expand("pop", ["SYD1-C1", "atl56-c1", "SYD1-C1"], catalogue())[0] == ["SYD1-C1", "ATL56-C1"]


def test_a_pop_that_the_catalogue_does_not_know_can_be_insisted_on() -> None:
    assert check_request(GOOD | {"region_type": "pop", "region": "NRT99-P9", "allow_unknown_pops": True}).pops == [
        "NRT99-P9"
    ]
    assert "allow_unknown_pops" in refusal(GOOD | {"region_type": "pop", "region": "NRT99-P9"})
    assert "looks like" in refusal(GOOD | {"region_type": "pop", "region": "x.evil", "allow_unknown_pops": True})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"region": ["apca"]}, ["region[0]", "apac"]),
        ({"region_type": "country", "region": ["japn"]}, ["region[0]", "japan"]),
        ({"url_list": [URL, "ftp://x.example/"]}, ["url_list[1]", "ftp"]),
        ({"url_list": []}, ["url_list"]),
        ({"url_list": "x"}, ["url_list", "list"]),
        ({"regoin": "eu"}, ["regoin", "did you mean region?"]),
        ({"timeout_minutes": "5"}, ["timeout_minutes", "integer"]),
        ({"timeout_minutes": 0}, ["timeout_minutes"]),
        ({"cf_domain": "www.example.com"}, ["cf_domain", "d111abcdef8.cloudfront.net"]),
        ({"headers": {"Host": "evil.example"}}, ["headers.Host"]),
        ({"headers": {"X-A": "a\r\nHost: evil"}}, ["headers.X-A"]),
        ({"headers": {"bad name": "a"}}, ["headers.bad name"]),
        ({"user_agent": "a\nb"}, ["user_agent"]),
        ({"accept_encodings": ["br\r\nX: y"]}, ["accept_encodings[0]"]),
        ({"min_warm_percent": 0}, ["min_warm_percent"]),
        ({"verify": "some"}, ["verify"]),
    ],
)
def test_a_bad_field_is_named_with_the_fix(change: dict[str, Any], words: list[str]) -> None:
    message = refusal(GOOD | change)
    assert all(word in message for word in words), message


def test_every_problem_is_told_at_once_and_the_rest_is_counted() -> None:
    message = refusal(GOOD | {"url_list": ["x"] * 25 + [URL], "region": ["nowhere"]})
    assert "url_list[0]" in message
    assert "and 6 more problems" in message


def test_secrets_are_refused_where_everybody_can_read_them() -> None:
    given_headers = GOOD | {"headers": {"Authorization": "Bearer x"}}
    assert "headers.Authorization" in refusal(given_headers, direct=True)
    assert check_request(given_headers).fields.headers == {"Authorization": "Bearer x"}


@pytest.mark.parametrize(("region_type", "region", "percent"), [("pop", "ATL56-C1", 100), ("region", "eu", 95)])
def test_how_warm_is_warm_depends_on_the_selection(region_type: str, region: str, percent: float) -> None:
    body = GOOD | {"region_type": region_type, "region": region}
    assert check_request(body).fields.percent_needed == percent
    assert check_request(body | {"min_warm_percent": 50}).fields.percent_needed == 50


def test_a_stored_request_reads_back_as_the_same() -> None:
    request = check_request(GOOD | {"url_list": [URL, URL], "min_warm_percent": 90, "verify": "all"})
    assert check_request(request.as_json()) == check_request(request.as_json())
    assert check_request(request.as_json()).as_json() == request.as_json()
