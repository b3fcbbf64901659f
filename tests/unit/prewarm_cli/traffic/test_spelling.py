"""The SQL that reads paths of logs, against the same rules in Python."""

import re

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from prewarm.request.url_parser import parse_url
from prewarm_cli.traffic.demand import is_plain
from prewarm_cli.traffic.log_encoding import ENCODED, decoded

CODES = "% %2 %25 %2520 %20 %2E %2e %2F %7E %7e %3C %27 %fF %G0"
PARTS = st.sampled_from([*CODES.split(), *"aZ7./?#-~'\"+*\\:@é\x7f ", "..", "--"])
TEXTS = st.lists(st.lists(PARTS, max_size=12).map("".join), min_size=1, max_size=40)
HOSTS = st.sampled_from(["www.example.com", "a.b-c.example", "xn--a.example", "1.2.3.4", "www.example.com.", "-a.de"])


@given(TEXTS)
def test_a_log_s_encoding_is_undone_once(texts: list[str]) -> None:
    found = duckdb.execute(
        f"SELECT list_transform(CAST($texts AS VARCHAR[]), lambda x: {decoded('x')})", {"texts": texts}
    )
    by_code = {code: sign for code, sign in ENCODED.items() if code != "%25"}
    undone = [re.sub("|".join(by_code), lambda code: by_code[code[0]], text).replace("%25", "%") for text in texts]
    assert found.fetchall()[0][0] == undone


@given(HOSTS, TEXTS)
def test_plain_urls_are_fetched_as_they_are(host: str, texts: list[str]) -> None:
    urls = [f"https://{host}/{text}" for text in texts]
    found = duckdb.execute(
        f"SELECT url FROM (SELECT unnest(CAST($urls AS VARCHAR[])) AS url) WHERE {is_plain('url')}", {"urls": urls}
    )
    for (url,) in found.fetchall():
        assert parse_url(url).fetch == url


def test_encoded_urls_are_plain_unless_a_dot_is_encoded() -> None:
    urls = [
        "https://www.example.com/a%20b?c=%C3%a9",
        "https://www.example.com/%2E%2e/a",
        "https://www.example.com/a%2",
    ]
    rows = duckdb.execute(f"SELECT {is_plain('url')} FROM (SELECT unnest($urls) AS url)", {"urls": urls}).fetchall()
    assert rows == [(True,), (False,), (False,)]
