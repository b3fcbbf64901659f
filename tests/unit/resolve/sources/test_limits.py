"""Documents without end, and the budget of a run's sources."""

import time

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.path_pattern import PathPattern
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import ManifestSource, SitemapSource
from resolve.sources import budget as budget_module
from resolve.sources.boundary import BudgetSpent, Place, Unreadable, reading
from resolve.sources.budget import Budget
from tests.support.source_bombs import bombs
from tests.support.source_reading import SITE, read_source

TOP = f"{SITE}/top"
# The slow ones are measured by `python -m tests.support.source_bombs NAME SECONDS`.
QUICK = ("a million representations of the same segments", "base addresses that multiply", "one tag", "one comment",
         "an element in an element", "a playlist of attributes", "periods without contents")  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_document_without_end_is_refused_or_read_in_time(name: str) -> None:
    kind, make = bombs()[name]
    source = SitemapSource(url=TOP) if kind == "sitemap" else ManifestSource(url=TOP)
    body, started = make(), time.process_time()
    try:
        read_source(source, {TOP: body}, budget=Budget(seconds=2))
    except InvalidRequest as refused:
        assert str(refused).startswith(f"source[0]: '{TOP}' ")  # noqa: PT017 - reading it is right too
    assert time.process_time() - started < 15


@pytest.mark.parametrize(("limit", "method"), [("ENTRIES_AT_MOST", "add_entry"), ("ELEMENTS_AT_MOST", "add_element")])
def test_budget_ends_at_its_limit(limit: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, limit, 3)
    budget = Budget()
    for _ in range(3):
        getattr(budget, method)()
    with pytest.raises(BudgetSpent, match="split the run"):
        getattr(budget, method)()


def test_budget_of_bytes_and_seconds_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, "BYTES_AT_MOST", 3)
    now = [0.0]
    budget = Budget(seconds=5, clock=lambda: now[0])
    budget.add_bytes(3)
    with pytest.raises(BudgetSpent, match="3 bytes"):
        budget.add_bytes(1)
    now[0] = 6
    assert budget.seconds_left() == 0
    with pytest.raises(BudgetSpent, match="5 s"):
        budget.check_time()


def test_budget_is_one_for_all_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, "ENTRIES_AT_MOST", 5)
    index = (
        f"<sitemapindex><sitemap><loc>{SITE}/a</loc></sitemap><sitemap><loc>{SITE}/b</loc></sitemap></sitemapindex>"
    )
    file = "<urlset>" + "".join(f"<url><loc>{SITE}/{n}</loc></url>" for n in range(2)) + "</urlset>"
    documents = {TOP: index.encode(), f"{SITE}/a": file.encode(), f"{SITE}/b": file.encode()}
    with pytest.raises(InvalidRequest, match=f"'{SITE}/b' lists too much"):
        read_source(SitemapSource(url=TOP), documents)


def test_unforeseen_error_names_document_and_place() -> None:
    place = Place()

    def read() -> None:
        with reading("s", parse_url(TOP), place):
            place.line = 7
            int("9" * 5000)

    with pytest.raises(Unreadable, match="cannot be read near line 7: it has a value"):
        read()


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*ab", "*?a*?a*?a*?a*?a*b", "a*" * 500 + "b", "*" * 2000 + "b"])
def test_pattern_takes_linear_time(pattern: str) -> None:
    url = parse_url(f"{SITE}/" + "a" * 8_000)
    started = time.process_time()
    assert not PathPattern(pattern).matches(url)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/köln/*", "/k%C3%B6ln/1", True),
        ("/k%c3%b6ln/*", "/köln/1", True),
        ("/ko\u0308ln/*", "/köln/1", True),
        ("/%FF/*", "/%FF/1", True),
        ("/a%2Ab", "/aXb", False),
        ("*.jp?g", "/x/a.jpeg?v=1.jpeg", True),
        ("a/*/c", "/a/b/b/c", True),
        ("*b*", "/ab", True),
        ("/a*a", "/a", False),
        ("*", "/", True),
    ],
)
def test_pattern_matches_readable_and_encoded_form(pattern: str, path: str, matches: bool) -> None:
    assert PathPattern(pattern).matches(parse_url(SITE + path)) is matches
