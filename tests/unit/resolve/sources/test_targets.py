"""The pairs of a list of targets are taken as a simple reading takes them, whatever the request limits them to."""

import io
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.errors import InvalidRequest
from prewarm.request.url_parser import parse_url
from prewarm.targets_csv import Pair, write_targets
from resolve.sources.budget import Budget
from resolve.sources.targets import OTHER_URLS, OUTSIDE, collect_targets
from resolve.stages import Collected

URLS = st.sampled_from(
    ["https://a.example/x", "https://A.example/x", "https://a.example/x#part", "https://b.example/", "https://b.example",
     "https://b.example/y?z=1,2", "http://b.example/"]
)  # fmt: skip
POPS = st.sampled_from(["NRT57-P3", "NRT12-C1", "SYD1-C1", "FRA2-C1"])
PAIRS = st.lists(st.builds(Pair, URLS, POPS, st.integers(0, 9), st.just(1)), min_size=1, max_size=30)


def collected(pairs: list[Pair], only: list[str], named: list[str]) -> Collected:
    file = io.StringIO()
    write_targets(pairs, file)
    fields = SimpleNamespace(
        targets_s3="s3://prewarm-runs/lists/t.csv", region=named, selects_all=False, region_type="pop"
    )
    request: Any = SimpleNamespace(fields=fields, urls=[parse_url(url) for url in only], pops=named, places=())
    store: Any = SimpleNamespace(get_list=lambda *_: file.getvalue().encode())
    settings: Any = SimpleNamespace(bucket="prewarm-runs", url_list_buckets=())
    return collect_targets(request, settings, store, Budget())


@given(PAIRS, st.lists(URLS, max_size=2), st.lists(POPS, max_size=3, unique=True))
def test_pairs_are_those_of_a_simple_reading(pairs: list[Pair], only: list[str], named: list[str]) -> None:
    wanted = {parse_url(url).fetch for url in only}
    found: dict[tuple[str, str], None] = {}
    spelled: dict[str, str] = {}
    requests: Counter[tuple[str, str]] = Counter()
    left_out: Counter[str] = Counter()
    for pair in pairs:
        url = parse_url(pair.url)
        spelled.setdefault(url.fetch, url.given)
        if wanted and url.fetch not in wanted:
            left_out[OTHER_URLS] += 1
        elif named and pair.pop not in named:
            left_out[OUTSIDE] += 1
        else:
            found[url.fetch, pair.pop] = None
            requests[url.host, pair.pop] += pair.requests
    urls = list(dict.fromkeys(url for url, _ in found))
    if not found or wanted - set(urls):
        with pytest.raises(InvalidRequest):
            collected(pairs, only, named)
        return
    result = collected(pairs, only, named)
    targets = result.targets
    assert targets is not None
    assert [(url.fetch, url.given) for url in result.urls] == [(url, spelled[url]) for url in urls]
    assert targets.pops == tuple(dict.fromkeys(pop for _, pop in found))
    cells = {(url, pop) for url, mask in targets.masks.items() for n, pop in enumerate(targets.pops) if mask >> n & 1}
    assert cells == found.keys()
    assert (targets.pairs, result.duplicates) == (len(found), len(pairs) - len(found) - left_out.total())
    assert dict(targets.requests) == dict(requests)
    (report,) = result.sources
    assert {each.reason: each.count for each in report.left_out} == left_out


def test_each_invalid_line_is_a_problem_and_the_first_of_a_text_is_named() -> None:
    pairs = [Pair("ftp://a.example/", "NRT57-P3"), Pair("https://b.example/", "NRT57-P3"), Pair("*", "SYD1-C1")]
    with pytest.raises(InvalidRequest) as raised:
        collected([*pairs, *pairs], [], [])
    texts = [problem.message for problem in raised.value.problems]
    assert len(texts) == 4
    assert ["line 2" in texts[0], "line 4" in texts[1]] == [True, True]
