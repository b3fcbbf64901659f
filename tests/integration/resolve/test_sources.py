"""Sources of URLs: read from allowed S3 buckets, or through CloudFront from hosts that may be warmed."""

import base64
import gzip
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from resolve.sources import document_reader
from tests.support.edge_urls import HOST
from tests.support.handlers import BUCKET, OTHER_HOST, SYDNEY, Machine, client, document
from tests.support.source_documents import MASTER, MEDIA, sitemap

PLACE = {"region_type": "pop", "region": SYDNEY[:1]}
_count = iter(range(10_000))


def document_of(body: bytes) -> dict[str, Any]:
    return {"document": base64.b64encode(body).decode()}


@pytest.fixture
def site(edge: SimulatedCloudFront) -> Any:
    """Put a document on the simulated origin under a new path; returns its URL."""

    def put(body: bytes, name: str = "x", host: str = HOST, **options: Any) -> str:
        path = f"/sources/{next(_count)}/{name}"
        edge.put_object(path, document_of(body) | options)
        return f"https://{host}{path}"

    return put


def stored(key: str, body: bytes, bucket: str = BUCKET) -> str:
    client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def planned(machine: Machine, **request: Any) -> list[str]:
    ran = machine.resolve(PLACE | request)
    assert "rejection" not in ran.resolved, ran.resolved
    urls: list[str] = document(ran.name, "plan/urls.json.gz")
    return urls


def rejected(machine: Machine, **request: Any) -> str:
    cause: str = machine.resolve(PLACE | request).resolved["rejection"]["cause"]
    return cause


def warnings(machine: Machine, **request: Any) -> list[str]:
    ran = machine.resolve(PLACE | request)
    stored_warnings: list[str] = document(ran.name, "plan/plan.json")["warnings"]
    return stored_warnings


ONE, TWO = f"https://{HOST}/1.txt", f"https://{OTHER_HOST}/2.txt"


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("lists/a.txt", f"# comment\n{ONE}\r\n\n {TWO} \n{ONE}\n".encode()),
        ("lists/a.txt", b"\xef\xbb\xbf" + f"{ONE}\n{TWO}".encode()),
        ("lists/deep/a.csv", f'name,URL\n"x, y",{ONE}\nz,{TWO}\n'.encode()),
        ("lists/a.csv", f"{ONE},first\n{TWO},second\n".encode()),
        ("lists/a", json.dumps([ONE, TWO]).encode()),
        ("lists/a.json", json.dumps({"url_list": [ONE, TWO]}).encode()),
        ("lists/a.txt.gz", gzip.compress(f"{ONE}\n{TWO}\n".encode(), mtime=0)),
        ("lists/a.csv.gz", gzip.compress(f"url\n{ONE}\n{TWO}\n".encode(), mtime=0)),
    ],
)
def test_list_is_read_in_each_format(machine: Machine, key: str, body: bytes) -> None:
    assert planned(machine, url_list_s3=stored(key, body)) == [ONE, TWO]


def test_sources_are_combined_and_deduplicated(machine: Machine, site: Any) -> None:
    lists = [stored("lists/1", f"{ONE}\n{TWO}".encode()), stored("lists/2", f"{TWO}\nhttps://{HOST}/3.txt".encode())]
    page = site(sitemap((ONE, ""), (f"https://{HOST}/4.txt", "")))
    urls = planned(machine, url_list=[f"https://{HOST}/0.txt"], url_list_s3=lists, sitemap=page)
    assert urls == [*(f"https://{HOST}/{n}.txt" for n in (0, 1, 3, 4)), TWO]


def test_bad_line_of_a_list_is_rejected_with_its_number(machine: Machine) -> None:
    body = f"{ONE}\nftp://x/?token=s3cret\n{TWO}\nnonsense\n".encode()
    cause = rejected(machine, url_list_s3=stored("lists/a", body))
    assert "url_list_s3[0] line 2: 'ftp://x/?token=…' has the scheme 'ftp'" in cause
    assert "url_list_s3[0] line 4: 'nonsense' has no scheme" in cause


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xffx", "is not text in UTF-8"),
        (b"\xff\xfe\x00", "is not text in UTF-16"),
        (b"[1]", "is not a JSON list of URLs"),
        (b"[", "is not JSON"),
        (b"{}", "is not a JSON list of URLs"),
        (gzip.compress(b"x" * 99, mtime=0)[:-4], "is broken gzip"),
        (b"# nothing\n", "sources contain no URL"),
    ],
)
def test_unreadable_list_is_rejected_with_the_reason(machine: Machine, body: bytes, words: str) -> None:
    assert words in rejected(machine, url_list_s3=stored("lists/a", body))


@pytest.mark.parametrize(
    "address", [f"s3://{BUCKET}/runs/other/request.json", f"s3://{BUCKET}/a.txt", "s3://another-bucket/lists/a.txt"]
)
def test_list_outside_the_allowed_buckets_is_rejected(machine: Machine, address: str) -> None:
    """The function may read other runs' requests with their secrets; a caller must not see them."""
    client("s3").put_object(Bucket=BUCKET, Key="runs/other/request.json", Body=b'["https://www.example.com/secret"]')
    cause = rejected(machine, url_list_s3=address)
    assert f"may not be read as a URL list; upload it to s3://{BUCKET}/lists/" in cause
    assert "secret" not in cause.replace(address, "")


def test_list_in_an_allowed_bucket_is_read(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    where: Any = {"LocationConstraint": "eu-central-1"}
    client("s3").create_bucket(Bucket="releases", CreateBucketConfiguration=where)
    monkeypatch.setenv("PREWARM_URL_LIST_BUCKETS", "releases")
    assert planned(machine, url_list_s3=stored("any/where.txt", ONE.encode(), "releases")) == [ONE]


def test_missing_list_is_rejected(machine: Machine) -> None:
    assert "cannot be read: NoSuchKey" in rejected(machine, url_list_s3=f"s3://{BUCKET}/lists/nowhere")


def test_address_that_is_not_in_s3_is_rejected(machine: Machine) -> None:
    assert rejected(machine, url_list_s3="https://x/y").startswith("url_list_s3[0]: ")


# ---- sitemaps ----


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


def test_redirected_manifest_is_warmed_where_it_is(machine: Machine, site: Any) -> None:
    end = site(b"#EXTM3U\n#EXTINF:6,\n1.ts\n#EXT-X-ENDLIST\n", "end.m3u8")
    urls = planned(machine, manifest=site(b"", status=302, headers={"location": end}))
    assert urls == [end, end.replace("end.m3u8", "1.ts")]


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


# ---- manifests ----


@pytest.fixture
def stream(edge: SimulatedCloudFront) -> str:
    number = next(_count)
    base = f"/sources/{number}"
    edge.put_object(f"{base}/top.m3u8", document_of(MASTER.replace(b"\n/video", f"\n{base}/video".encode())))
    for name in ("video/hi", "video/lo", "audio/hi", "audio/lo", "frames"):
        edge.put_object(f"{base}/{name}.m3u8", document_of(MEDIA.replace(b"keys.example.com", HOST.encode())))
    return f"https://{HOST}{base}/top.m3u8"


def test_hls_manifest_adds_playlists_segments_init_segments_and_keys(machine: Machine, stream: str) -> None:
    urls = planned(machine, manifest=stream)
    base = stream.removesuffix("top.m3u8")
    tails = [url.removeprefix(base) for url in urls]
    assert tails[:2] == ["top.m3u8", "session.key"]
    assert {"video/hi.m3u8", "video/hi.m3u8".replace("hi", "lo"), "frames.m3u8", "audio/lo.m3u8"} <= set(tails)
    assert {"video/init.mp4", "video/1.m4s", "video/2.m4s", "audio/1.m4s"} <= set(tails)
    assert f"https://{HOST}/1?token=x" in urls
    assert len(set(urls)) == len(urls)


def test_lowest_rendition_and_max_segments_limit_the_urls(machine: Machine, stream: str) -> None:
    urls = planned(machine, manifest={"url": stream, "renditions": "lowest", "max_segments": 1})
    base = stream.removesuffix("top.m3u8")
    tails = [url.removeprefix(base) for url in urls if url.startswith(base)]
    assert tails == ["top.m3u8", "session.key", "video/lo.m3u8", "video/init.mp4", "video/1.m4s",
                     "audio/lo.m3u8", "audio/init.mp4", "audio/1.m4s"]  # fmt: skip


def test_live_playlist_is_a_warning(machine: Machine, site: Any) -> None:
    top = site(MEDIA.replace(b"#EXT-X-ENDLIST\n", b"").replace(b"keys.example.com", HOST.encode()))
    assert "manifest[0]: 1 playlists are live: only the segments listed now are warmed" in warnings(
        machine, manifest=top
    )


def test_dash_manifest_adds_its_segments(machine: Machine, site: Any) -> None:
    body = b"""<MPD type="static" mediaPresentationDuration="PT8S"><Period><AdaptationSet>
      <SegmentTemplate duration="4" initialization="i-$RepresentationID$" media="$RepresentationID$-$Number$"/>
      <Representation id="v" bandwidth="1"/></AdaptationSet></Period></MPD>"""
    top = site(body, "top.mpd")
    base = top.removesuffix("top.mpd")
    assert planned(machine, manifest=top) == [top, f"{base}i-v", f"{base}v-1", f"{base}v-2"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html></html>", "is neither an HLS playlist nor a DASH manifest"),
        (b"plain text", "is not XML"),
        (
            b"#EXTM3U\n#EXTINF:4,\nftp://x/1.ts\n#EXT-X-ENDLIST\n",
            "contains no URL to warm: 1 entry skipped: the URL has the scheme",
        ),
    ],
)
def test_invalid_manifest_is_rejected(machine: Machine, site: Any, body: bytes, words: str) -> None:
    cause = rejected(machine, manifest=site(body))
    assert cause.startswith("manifest[0]: ")
    assert words in cause


def test_run_warms_the_urls_of_a_sitemap(machine: Machine, site: Any, account: SimpleNamespace) -> None:
    top = site(sitemap((ONE, ""), (f"https://{HOST}/5.txt", "")))
    ran = machine.run(PLACE | {"sitemap": top})
    assert ran.output["warm"]
    assert ran.output["total"] == 2


def mostly_foreign() -> bytes:
    foreign = [(f"https://www.example.net/{n}", "") for n in range(2)]
    return sitemap((ONE, ""), *foreign)


def test_run_of_a_mostly_skipped_source_is_red_and_its_first_line_is_the_reason(
    machine: Machine, site: Any, account: SimpleNamespace
) -> None:
    ran = machine.run(PLACE | {"sitemap": site(mostly_foreign()), "fail_on": "none"})
    first = "sitemap[0]: 2 of 3 entries cannot be warmed and were skipped"
    assert (ran.output["passed"], ran.output["warm"]) == (False, False)
    assert ran.output["error"] == "Prewarm.SourcesSkipped"
    assert ran.output["cause"].startswith(first)
    report = document(ran.name, "report.json")
    assert report["mostlySkipped"].startswith(first)
    assert (report["success"], report["sources"][0]["skipped"]) == (1, 2)
    page = client("s3").get_object(Bucket=BUCKET, Key=f"runs/{ran.name}/report.html")["Body"].read().decode()
    assert first in page.partition("<dl>")[0]
    assert "https://www.example.net/0" in page


def test_mostly_skipped_source_is_accepted_where_the_request_says_so(
    machine: Machine, site: Any, account: SimpleNamespace
) -> None:
    ran = machine.run(PLACE | {"sitemap": site(mostly_foreign()), "strict_sources": False})
    assert (ran.output["passed"], ran.output["warm"]) == (True, True)
    assert document(ran.name, "report.json")["mostlySkipped"]


def test_dry_run_counts_what_a_run_leaves_out(machine: Machine, site: Any) -> None:
    chosen = {"url": site(mostly_foreign()), "exclude": "/never"}
    machine.resolve(PLACE | {"sitemap": chosen, "dry_run": True}, "dry")
    dry = document("dry", "dry_run.json")
    assert dry["mostlySkipped"].startswith("sitemap[0]: 2 of 3")
    (left_out,) = dry["sources"][0]["leftOut"]
    assert (left_out["count"], left_out["skipped"]) == (2, True)
    assert left_out["examples"] == ["https://www.example.net/0", "https://www.example.net/1"]
