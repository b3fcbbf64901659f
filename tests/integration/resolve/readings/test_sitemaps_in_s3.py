"""Sitemaps in S3: read like others, and never invalidated."""

import gzip

import pytest

from tests.support.handlers import BUCKET, DOMAIN, OTHER_HOST, client
from tests.support.readings import NEW, OLD, Site, plan, urls
from tests.support.source_documents import sitemap


def stored_sitemap(key: str, body: bytes, bucket: str = BUCKET) -> str:
    client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


@pytest.mark.parametrize("packed", [False, True])
def test_sitemap_in_s3_is_read_and_never_invalidated(site: Site, *, packed: bool) -> None:
    body = sitemap((OLD, ""), ("https://www.example.net/foreign", ""))
    address = stored_sitemap(f"lists/s-{packed}.xml", gzip.compress(body) if packed else body)
    output, passes = site.read(f"s3-{packed}", sitemap=address, invalidate=True)
    assert (passes, urls(f"s3-{packed}"), output["invalidation"]["rounds"]) == ([], [OLD], 1)
    (source,) = plan(f"s3-{packed}")["sources"]
    assert (source["address"], source["documents"]["listed"][0]["origin"]) == (address, "s3")
    # Its entries are judged as those of any other sitemap.
    assert any("no distribution of this account" in each for each in plan(f"s3-{packed}")["warnings"])


def test_sitemaps_that_an_index_in_s3_lists_are_read_again(site: Site) -> None:
    site.put_list("a.xml", OLD)
    site.cached(sitemap=site.url("a.xml"))
    site.put_list("a.xml", NEW)
    index = sitemap((site.url("a.xml"), ""), root="sitemapindex", item="sitemap")
    _, passes = site.read("s3-index", sitemap=stored_sitemap("lists/index.xml", index), invalidate=True)
    assert (passes, urls("s3-index")) == ([["a.xml"]], [NEW])


@pytest.mark.parametrize("key", ["runs/other/request.json", "s.xml", "lists/nowhere.xml"])
def test_sitemap_in_s3_that_may_not_be_read_is_rejected(site: Site, key: str) -> None:
    """The function may read other runs' requests with their secrets; a caller must not see them."""
    if "nowhere" not in key:
        stored_sitemap(key, b'["https://www.example.com/secret"]')
    output, _ = site.read(f"refused-{key.partition('/')[0]}", sitemap=f"s3://{BUCKET}/{key}")
    cause = output["rejection"]["cause"]
    words = "cannot be read: NoSuchKey" if "nowhere" in key else "may not be read as a sitemap; upload it to"
    assert cause.startswith(f"sitemap[0]: 's3://{BUCKET}/{key}' {words}")
    assert "secret" not in cause


def test_sitemap_in_s3_keeps_to_the_cf_domain(site: Site) -> None:
    body = sitemap((OLD, ""), (f"https://{OTHER_HOST}/2.txt", ""))
    site.read("s3-domain", sitemap=stored_sitemap("lists/d.xml", body), cf_domain=DOMAIN)
    assert urls("s3-domain") == [OLD]
