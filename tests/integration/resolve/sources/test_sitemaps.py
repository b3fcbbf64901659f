"""Sitemaps, read through CloudFront from hosts that may be warmed."""

import gzip
import time
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from resolve.sources import document_reader
from tests.support.edge_urls import HOST
from tests.support.handlers import OTHER_HOST, Machine
from tests.support.source_documents import sitemap
from tests.support.source_runs import ONE, PLACE, TWO, document_of, planned, rejected, warnings


def test_sitemap_index_is_followed_and_each_file_is_read_once(machine: Machine, site: Any) -> None:
    first = site(gzip.compress(sitemap((ONE, ""))), "a.xml.gz", content_type="application/gzip")
    second = site(f"{TWO}\n".encode(), "b.txt", content_type="text/plain")
    inner = site(sitemap((second, ""), (first, ""), root="sitemapindex", item="sitemap"))
    top = site(sitemap((first, ""), (inner, ""), root="sitemapindex", item="sitemap"))
    assert planned(machine, sitemap=top) == [ONE, TWO]


def test_sitemap_index_that_lists_itself_terminates(machine: Machine, edge: SimulatedCloudFront) -> None:
    here = f"https://{HOST}/sources/loop.xml"
    edge.put_object("/sources/loop.xml", document_of(sitemap((here, ""), root="sitemapindex", item="sitemap")))
    assert "contains no URL to warm: it lists none" in rejected(machine, sitemap=here)


def test_include_exclude_and_since_filter_and_undated_urls_are_a_warning(machine: Machine, site: Any) -> None:
    pages = [
        ("a/1", "2026-11-20"),
        ("a/2", "2026-10-01"),
        ("a/3", ""),
        ("a/tmp/4", "2026-11-20"),
        ("b/5", "2026-11-20"),
    ]
    top = site(sitemap(*((f"https://{HOST}/{path}", day) for path, day in pages)))
    chosen = {"url": top, "include": "/a/*", "exclude": ["*/tmp/*"], "since": "2026-11-01"}
    assert planned(machine, sitemap=chosen) == [f"https://{HOST}/a/1", f"https://{HOST}/a/3"]
    assert "sitemap[0]: 1 URLs without a modification date were kept" in warnings(machine, sitemap=chosen)


def test_old_sitemaps_of_an_index_are_skipped(machine: Machine, site: Any) -> None:
    old, new = site(b"never read"), site(sitemap((ONE, "2026-11-20")))
    top = site(sitemap((old, "2026-01-01"), (new, "2026-11-20"), root="sitemapindex", item="sitemap"))
    assert planned(machine, sitemap={"url": top, "since": "2026-11-01"}) == [ONE]


def test_sitemap_of_a_host_without_a_distribution_is_not_fetched(machine: Machine, edge: SimulatedCloudFront) -> None:
    before = edge.stats()
    cause = rejected(machine, sitemap="https://www.example.net/sitemap.xml")
    assert (
        "sitemap[0]: 'https://www.example.net/sitemap.xml' cannot be read: no distribution of this account" in cause
    )
    assert edge.stats() == before


def test_sitemap_urls_of_other_hosts_are_skipped_with_a_warning(machine: Machine, site: Any) -> None:
    top = site(sitemap((ONE, ""), ("https://www.example.net/", "")))
    assert planned(machine, sitemap=top) == [ONE]
    (warning,) = [each for each in warnings(machine, sitemap=top) if "skipped" in each]
    assert warning.startswith("sitemap[0]: 1 entry skipped: no distribution of this account")
    assert warning.endswith("(such as https://www.example.net/)")
    cause = rejected(machine, sitemap=top, strict_sources=True)
    assert "sitemap[0]: lists 'https://www.example.net/': no distribution of this account" in cause


def test_redirect_to_an_allowed_host_is_followed(machine: Machine, site: Any) -> None:
    end = site(sitemap((ONE, "")), host=OTHER_HOST)
    middle = site(b"", status=302, headers={"location": end})
    assert planned(machine, sitemap=site(b"", status=301, headers={"location": middle})) == [ONE]


def test_redirects_without_end_are_refused(machine: Machine, edge: SimulatedCloudFront) -> None:
    here = f"https://{HOST}/sources/round.xml"
    edge.put_object("/sources/round.xml", {"status": 302, "headers": {"location": here}})
    assert "more than 5 redirects" in rejected(machine, sitemap=here)


def test_document_that_never_ends_is_refused_in_time(
    machine: Machine, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_reader, "SECONDS_AT_MOST", 1.0)
    top = site(b"", ttfb_ms=30_000)
    started = time.monotonic()
    assert "was not complete after 1 seconds" in rejected(machine, sitemap=top)
    assert time.monotonic() - started < 10


def to(location: str) -> dict[str, Any]:
    return {"status": 301, "headers": {"location": location}}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"status": 404}, "cannot be read: status 404"),
        (to("https://www.example.net/new.xml"), "redirects to https://www.example.net/new.xml, which cannot be read"),
        (to("ftp://a/"), "is a redirect to 'ftp://a/', which has the scheme 'ftp'"),
    ],
)  # fmt: skip
def test_unreadable_sitemap_is_rejected_with_the_reason(
    machine: Machine, site: Any, options: Any, words: str
) -> None:
    assert words in rejected(machine, sitemap=site(b"x", **options))


def test_sitemap_with_entities_is_rejected(machine: Machine, site: Any) -> None:
    body = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><urlset><url><loc>&f;</loc></url></urlset>'
    assert "document type" in rejected(machine, sitemap=site(body))


def test_sitemap_that_leaves_no_url_is_refused(machine: Machine, site: Any) -> None:
    cause = rejected(machine, url_list=[ONE], sitemap=site(sitemap(("ftp://x/", ""))))
    assert "contains no URL to warm: 1 entry skipped: the URL has the scheme" in cause
    assert "ftp://x/ (line 1)" in cause


def test_run_warms_the_urls_of_a_sitemap(machine: Machine, site: Any, account: SimpleNamespace) -> None:
    top = site(sitemap((ONE, ""), (f"https://{HOST}/5.txt", "")))
    ran = machine.run(PLACE | {"sitemap": top})
    assert ran.output["warm"]
    assert ran.output["total"] == 2
