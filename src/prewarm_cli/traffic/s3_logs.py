"""Logs in S3: listed, pruned by the hour in their keys, and downloaded in parallel, a part at a time.

DuckDB's own reader of S3 would fetch an extension at run time.
"""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_files import LogFile
from prewarm_cli.traffic.log_search import is_hidden, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?", re.ASCII)
# Small files are bound by the time of a request, about 30 ms; S3 allows 5,500 GETs a second for a prefix.
DOWNLOADS = 32
GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LogObject:
    """An object of S3: bucket, key, bytes."""

    bucket: str
    key: str
    size: int

    @property
    def address(self) -> str:
        """Return the address."""
        return f"s3://{self.bucket}/{self.key}"


def client() -> S3Client:
    """Return a client that retries, with a connection for each download."""
    found: S3Client = boto3.client(
        "s3", config=Config(max_pool_connections=DOWNLOADS, retries={"mode": "adaptive", "max_attempts": 8})
    )
    return found


def objects(address: str, since: datetime | None, until: datetime | None) -> tuple[list[LogObject], int]:
    """Return the objects below an address that may have requests of the period, and how many were left out.

    Raises:
        CommandFailed: the address is not one, or S3 refuses the list.

    """
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise CommandFailed(f"{address}: is not an address in S3; use s3://bucket/prefix")
    bucket, prefix = found["bucket"], found["prefix"] or ""
    kept, pruned = [], 0
    with _failures(address):
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                if not entry["Size"] or entry["Key"].endswith("/") or is_hidden(entry["Key"], len(prefix)):
                    continue
                if within(entry["Key"], since, until, len(prefix)):
                    kept.append(LogObject(bucket, entry["Key"], entry["Size"]))
                else:
                    pruned += 1
    if not kept and not pruned:
        raise CommandFailed(f"{address}: has no objects; check bucket and prefix")
    return kept, pruned


def batches(listed: Iterable[LogObject], folder: Path, most_bytes: int) -> Iterator[list[LogFile]]:
    """Yield downloaded files, at most so many bytes of them at a time; those yielded before are deleted.

    Raises:
        CommandFailed: an object is larger than the limit, or cannot be downloaded.

    """
    batch: list[LogObject] = []
    size = 0
    for each in listed:
        if each.size > most_bytes:
            raise CommandFailed(
                f"{each.address}: has {each.size / GIGABYTE:.1f} GB, more than --disk allows; raise --disk"
            )
        if size + each.size > most_bytes:
            yield from _downloaded(batch, folder)
            batch, size = [], 0
        batch.append(each)
        size += each.size
    yield from _downloaded(batch, folder)


def _downloaded(batch: list[LogObject], folder: Path) -> Iterator[list[LogFile]]:
    if not batch:
        return
    s3 = client()
    files = [LogFile(folder / f"object{number}", each.address) for number, each in enumerate(batch)]

    def download(each: LogObject, file: LogFile) -> None:
        # One GET per object: log files are small, and a transfer manager would start threads of its own for each.
        with _failures(each.address), file.path.open("wb") as copy:
            for block in s3.get_object(Bucket=each.bucket, Key=each.key)["Body"].iter_chunks(1 << 20):
                copy.write(block)

    with ThreadPoolExecutor(DOWNLOADS) as pool:
        for done in [pool.submit(download, each, file) for each, file in zip(batch, files, strict=True)]:
            done.result()
    try:
        yield files
    finally:
        for file in files:
            file.path.unlink(missing_ok=True)


@contextlib.contextmanager
def _failures(address: str) -> Iterator[None]:
    """Name the address in an error of S3."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CommandFailed(
            f"{address}: S3 refuses access: {error}; check the credentials and their permissions"
        ) from error
