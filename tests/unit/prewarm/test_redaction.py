"""Redaction: a secret's value never appears, whatever the spelling of its name; other parameters stay readable."""

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm import urls
from prewarm.urls import redacted

SITE = "https://www.example.com/a"
NAMES = [
    *("Signature", "Policy", "Key-Pair-Id", "Expires", "X-Amz-Signature", "X-Amz-Credential", "X-Goog-Signature"),
    *("token", "token[]", "access_token", "accessToken", "sessionid", "sessionId", "PHPSESSID", "sid", "api_key"),
    *("apikey", "AccessKey"),
    *("x-api-key", "client_secret", "sig", "auth", "Authorization", "password", "passwd", "pwd", "jwt"),
    "user[password]",
    *("code", "hdnts", "__token__", "refresh-token", "id.token", "credentials", "oauth_verifier", "ticket"),
]  # fmt: skip
PLAIN = [
    "page",
    "q",
    "author",
    "country_code",
    "design",
    "width",
    "v",
    "lang",
    "keyword",
    "compass",
    "passage",
    "sort",
]


@pytest.fixture(autouse=True)
def _fresh_names() -> Iterator[None]:
    yield
    urls._added_names.cache_clear()
    urls._is_secret.cache_clear()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", ["?", "?a=1&", "?a=1;", ";", "#", "?x?", ";a=1;"])
def test_value_of_a_secret_parameter_is_not_shown(name: str, start: str) -> None:
    assert redacted(f"{SITE}{start}{name}=s3cr3t&b=2") == f"{SITE}{start}{name}=…&b=2"


def encoded(name: str, which: list[bool], times: int) -> str:
    text = "".join(f"%{ord(each):02X}" if coded else each for each, coded in zip(name, which, strict=True))
    for _ in range(times):
        text = text.replace("%", "%25")
    return text


@given(
    name=st.sampled_from(NAMES),
    upper=st.booleans(),
    which=st.lists(st.booleans(), min_size=16, max_size=16),
    times=st.integers(0, 2),
    value=st.text("abcXYZ019-_.~%2B/=?:", min_size=1, max_size=30),
    before=st.sampled_from(["?", "?a=b&", "?a=b;", ";", "#", "?a&"]),
)
def test_secret_is_hidden_in_any_spelling_of_its_name(
    name: str,
    upper: bool,
    which: list[bool],
    times: int,
    value: str,
    before: str,
) -> None:
    spelled = encoded(name.upper() if upper else name, (which * 2)[: len(name)], times)
    assert "zqzqz" not in redacted(f"{SITE}{before}{spelled}=zqzqz{value}zqzqz&last=1")


@given(st.text(), st.text("?&;#=%/tokenab@:", max_size=200))
def test_redaction_of_any_text_is_stable(text: str, odd: str) -> None:
    for each in (text, odd):
        assert redacted(redacted(each)) == redacted(each)


@pytest.mark.parametrize("name", PLAIN)
def test_value_of_another_parameter_is_shown(name: str) -> None:
    assert redacted(f"{SITE}?{name}=1&b=2") == f"{SITE}?{name}=1&b=2"


def test_secret_inside_an_encoded_url_is_not_shown() -> None:
    inner = quote("https://other.example/?token=s3cr3t", safe="")
    assert redacted(f"{SITE}?return={inner}&b=2") == f"{SITE}?return=…&b=2"


def test_semicolon_inside_a_secret_does_not_end_it() -> None:
    assert redacted(f"{SITE}?token=ab;cd;ef&b=2") == f"{SITE}?token=…&b=2"
    assert redacted(f"{SITE}?token=ab;b=2") == f"{SITE}?token=…;b=2"


def test_operator_adds_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert redacted(f"{SITE}?member=5&w=1") == f"{SITE}?member=5&w=1"
    urls._added_names.cache_clear()
    urls._is_secret.cache_clear()
    monkeypatch.setenv("PREWARM_SECRET_PARAMETERS", "Member, other")
    assert redacted(f"{SITE}?member=5&w=1") == f"{SITE}?member=…&w=1"


@pytest.mark.parametrize(
    "text", ["?a=" * 5000, ";" * 20_000, "?" + "%25" * 6000 + "=1", "//" * 10_000, "?a=%3d" * 3000]
)
def test_redaction_of_a_long_text_takes_little_time(text: str) -> None:
    before = time.process_time()
    redacted(text)
    assert time.process_time() - before < 1
