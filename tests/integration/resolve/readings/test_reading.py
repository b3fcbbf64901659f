"""Readings of the sources: what a run that invalidates finds in a cache is invalidated and read again."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudfront.models import cloudfront_backends

import resolve.handler
import resolve.invalidate_handler
from resolve.invalidation_rounds import InvalidationBatch
from resolve.plan_store import RunEnded
from resolve.reading import INVALIDATIONS_AT_MOST, Reading, stored_rounds
from tests.support.edge_urls import HOST
from tests.support.handlers import ACCOUNT, OTHER_HOST, Context, document
from tests.support.readings import NEW, OLD, PLACE, Site, plan, urls


def test_sitemap_of_the_last_deployment_is_invalidated_and_read_again(site: Site) -> None:
    site.put_list("a.xml", OLD)
    site.put_list("index.xml", site.url("a.xml"), index=True)
    site.cached(sitemap=site.url("index.xml"))
    site.put_list("a.xml", OLD, NEW)
    site.put_list("b.xml", f"https://{OTHER_HOST}/3.txt")
    site.put_list("index.xml", site.url("a.xml"), site.url("b.xml"), index=True)
    output, passes = site.read("deployed", sitemap=site.url("index.xml"), invalidate=True)
    # An Age of 0 shows nothing in the first second of a run, so b.xml is read again where the test is that fast.
    assert passes in ([["index.xml"], ["a.xml"]], [["index.xml"], ["a.xml"], ["b.xml"]])
    assert urls("deployed") == [OLD, NEW, f"https://{OTHER_HOST}/3.txt"]
    assert (output["invalidate"], output["invalidation"]["reading"], output["invalidation"]["rounds"]) == (True, 0, 1)
    stored = plan("deployed")
    assert (stored["invalidation_paths"], stored["invalidation_rounds"]) == (3 + len(passes), 1 + len(passes))
    assert stored["warnings"] == []
    (source,) = stored["sources"]
    assert [each["origin"] for each in source["documents"]["listed"]].count("cache") == 0
    assert source["documents"]["read"] == 3


def test_run_without_invalidate_reads_the_cached_sitemap_and_warns(site: Site) -> None:
    site.put_list("s.xml", OLD)
    site.cached(sitemap=site.url("s.xml"))
    site.put_list("s.xml", OLD, NEW)
    _, passes = site.read("as-cached", sitemap=site.url("s.xml"))
    assert (passes, urls("as-cached")) == ([], [OLD])
    (warning,) = plan("as-cached")["warnings"]
    assert warning.startswith("sitemap[0]: the document came from a cache")
    assert f"{site.url('s.xml')} (X-Cache: Hit from cloudfront, Age: " in warning
    (read,) = plan("as-cached")["sources"][0]["documents"]["listed"]
    assert (read["x_cache"], read["origin"]) == ("Hit from cloudfront", "cache")


def test_dry_run_invalidates_nothing_and_names_the_cached_document(site: Site) -> None:
    site.put_list("s.xml", OLD)
    request = {"sitemap": site.url("s.xml"), "invalidate": True, "dry_run": True}
    site.cached(sitemap=site.url("s.xml"))
    output, passes = site.read("estimate", **request)
    assert "dryRun" in output
    assert passes == []
    assert not cloudfront_backends[ACCOUNT]["aws"].invalidations
    estimate = document("estimate", "dry_run.json")
    (read,) = estimate["sources"][0]["documents"]
    assert (read["xCache"], read["origin"], read["age"] is not None) == ("Hit from cloudfront", "cache", True)
    assert any("the run invalidates and reads it again first" in each for each in estimate["warnings"])


def test_cached_error_and_cached_redirects_are_invalidated_too(site: Site) -> None:
    site.put("moved.xml", status=301, headers={"location": site.url("middle.xml")})
    site.put("middle.xml", status=302, headers={"location": site.url("old.xml"), "cache-control": "max-age=600"})
    site.put_list("old.xml", OLD)
    site.put("gone.xml", status=404)
    site.cached(sitemap=[site.url("moved.xml")])
    site.cached(sitemap=[site.url("gone.xml")])
    site.put("middle.xml", status=302, headers={"location": site.url("new.xml"), "cache-control": "max-age=600"})
    site.put_list("new.xml", NEW)
    site.put_list("gone.xml", f"https://{HOST}/4.txt")
    _, passes = site.read("moved", sitemap=[site.url("moved.xml"), site.url("gone.xml")], invalidate=True)
    assert sorted(passes[0]) == ["gone.xml", "middle.xml", "moved.xml", "old.xml"]
    assert urls("moved") == [NEW, f"https://{HOST}/4.txt"]


def test_playlists_of_a_manifest_are_invalidated_too(site: Site) -> None:
    top, media = "top.m3u8", "media.m3u8"
    site.put(top, b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n")
    site.put(media, b"#EXTM3U\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n")
    site.cached(manifest=site.url(top))
    site.put(media, b"#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXT-X-ENDLIST\n")
    _, passes = site.read("film", manifest=site.url(top), invalidate=True)
    assert passes == [[top], [media]]
    assert urls("film") == [site.url(name) for name in (top, media, "1.ts", "2.ts")]


def test_two_sources_that_name_one_stale_document_are_read_again(site: Site) -> None:
    site.put_list("s.xml", OLD)
    site.cached(sitemap=site.url("s.xml"))
    site.put_list("s.xml", NEW)
    both = [site.url("s.xml"), {"url": site.url("s.xml"), "include": ["/2*"]}]
    _, passes = site.read("twice", sitemap=both, invalidate=True)
    assert (passes, urls("twice")) == ([["s.xml"]], [NEW])


def test_path_that_only_a_pattern_invalidates_is_read_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREWARM_ALLOW_INVALIDATION_PATTERNS", "true")
    site.put_list("~s.xml", OLD)
    site.cached(sitemap=site.url("~s.xml"))
    site.put_list("~s.xml", NEW)
    pattern = f"{site.folder}/*"
    _, passes = site.read("tilde", sitemap=site.url("~s.xml"), invalidate=[pattern])
    assert (passes, urls("tilde")) == ([["*"]], [NEW])


def test_path_that_nothing_invalidates_is_read_with_a_warning(site: Site) -> None:
    site.put_list("~s.xml", OLD)
    site.cached(sitemap=site.url("~s.xml"))
    _, passes = site.read("kept", sitemap=site.url("~s.xml"), invalidate=True)
    assert (passes, urls("kept")) == ([], [OLD])
    assert any("it was not invalidated, because its path contains ~" in each for each in plan("kept")["warnings"])


def test_documents_that_differ_after_each_invalidation_are_a_warning_after_the_last(site: Site) -> None:
    def deploy(number: int) -> None:
        site.put("s.xml", status=302, headers={"location": site.url(f"{number}.xml"), "cache-control": "max-age=600"})

    for number in range(INVALIDATIONS_AT_MOST + 2):
        site.put_list(f"{number}.xml", f"https://{HOST}/{number}.txt")
        site.cached(sitemap=site.url(f"{number}.xml"))
    deploy(0)
    original = site.step
    deployed = iter(range(1, 100))

    def step(run: str, progress: dict[str, Any], paths: list[str]) -> dict[str, Any]:
        after = original(run, progress, paths)
        if after["status"] == "read_again":
            deploy(next(deployed))
            site.edge.purge([f"{site.folder}/s.xml"])
        return after

    site.step = step  # type: ignore[method-assign]
    _, passes = site.read("restless", sitemap=site.url("s.xml"), invalidate=True)
    assert len(passes) == INVALIDATIONS_AT_MOST
    (warning,) = plan("restless")["warnings"]
    assert f"the run invalidated documents {INVALIDATIONS_AT_MOST} times, and found others each time" in warning


def test_second_worker_of_a_reading_returns_what_the_first_one_stored(site: Site) -> None:
    site.put_list("s.xml", OLD)
    site.cached(sitemap=site.url("s.xml"))
    event = {"run": "doubled", "input": PLACE | {"sitemap": site.url("s.xml"), "invalidate": True}, "reading": 0}
    first = resolve.handler.handler(event, Context())
    stored = document("doubled", "plan/documents/1.json.gz")
    site.put_list("t.xml", OLD)
    site.cached(sitemap=site.url("t.xml"))
    other = event | {"input": PLACE | {"sitemap": [site.url("s.xml"), site.url("t.xml")], "invalidate": True}}
    assert resolve.handler.handler(other, Context()) == first
    assert document("doubled", "plan/documents/1.json.gz") == stored
    ((batch,),) = stored_rounds(stored)
    assert batch == InvalidationBatch(batch.distribution_id, "", batch.reference, [f"{site.folder}/s.xml"])
    assert batch.reference == f"doubled-documents-1-{batch.distribution_id}-0"


def test_run_past_its_deadline_or_cancelled_invalidates_no_documents(site: Site) -> None:
    site.put_list("s.xml", OLD)
    site.cached(sitemap=site.url("s.xml"))
    event = {"run": "overdue", "input": PLACE | {"sitemap": site.url("s.xml"), "invalidate": True}, "reading": 0}
    progress = resolve.handler.handler(event, Context())["invalidation"]
    ledger = site.machine.storage.ledger
    ledger.reopen_run("overdue", time.time() - 1, 1)
    late = {"run": "overdue", "redrives": 1, "invalidation": progress}
    assert resolve.invalidate_handler.handler(late, Context(900.0))["status"] == "overdue"
    # A redrive renews the deadline, until the run is cancelled.
    assert resolve.invalidate_handler.handler(late | {"redrives": 2}, Context(900.0))["status"] == "waiting"
    ledger.end_run("overdue")
    assert resolve.invalidate_handler.handler(late | {"redrives": 2}, Context(900.0))["status"] == "overdue"


def test_later_reading_does_not_reopen_or_plan_a_cancelled_run(site: Site) -> None:
    site.put_list("s.xml", OLD)
    site.cached(sitemap=site.url("s.xml"))
    event = {"run": "stopped", "input": PLACE | {"sitemap": site.url("s.xml"), "invalidate": True}, "reading": 0}
    resolve.handler.handler(event, Context())
    site.edge.purge([f"{site.folder}/s.xml"])
    site.machine.storage.ledger.end_run("stopped")
    with pytest.raises(RunEnded, match="run stopped was cancelled before it was planned"):
        resolve.handler.handler(event | {"reading": 1}, Context())
    assert site.machine.storage.ledger.control("stopped").ended


def test_execution_of_an_earlier_definition_reads_once_with_a_warning(site: Site) -> None:
    site.put_list("s.xml", OLD)
    site.cached(sitemap=site.url("s.xml"))
    ran = site.machine.resolve(PLACE | {"sitemap": site.url("s.xml"), "invalidate": True})
    assert ran.resolved["invalidation"]["rounds"] == 1
    assert any("reads its documents once" in each for each in plan(ran.name)["warnings"])


def test_only_readings_before_the_last_invalidate(site: Site) -> None:
    fields: Any = SimpleNamespace(invalidate=True, dry_run=False, invalidation_patterns=[])
    options = [Reading(number, 0.0).freshness(fields)._invalidates for number in (None, 0, 3, 4)]
    assert options == [False, True, True, False]
