"""Lists of URLs, read from allowed S3 buckets."""

import gzip
import json
from typing import Any

import pytest

from tests.support.edge_urls import HOST
from tests.support.handlers import BUCKET, Machine, client
from tests.support.source_documents import sitemap
from tests.support.source_runs import ONE, TWO, planned, rejected, stored


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("lists/a.txt", f"# comment\n{ONE}\r\n\n {TWO} \n{ONE}\n".encode()),
        ("lists/a.txt", b"\xef\xbb\xbf" + f"{ONE}\n{TWO}".encode()),
        ("lists/deep/a.csv", f'name,URL\n"x, y",{ONE}\nz,{TWO}\n'.encode()),
        ("lists/a.csv", f"{ONE}\n{TWO}\n".encode()),
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
