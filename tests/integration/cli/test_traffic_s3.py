"""`prewarm traffic` with logs in S3, which is moto."""

from datetime import datetime
from pathlib import Path

import boto3

from prewarm_cli.traffic import s3_logs
from prewarm_cli.traffic.log_files import LogFile
from tests.support.access_logs import record, w3c
from tests.support.traffic import BUCKET, analyser, pairs, traffic


def test_logs_in_s3_are_pruned_and_downloaded_in_parts(aws: None, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    sizes = []
    for day in (1, 2, 20):
        for number in range(3):
            file = w3c(tmp_path / "up.gz", [record(date=f"2026-11-{day:02}", stem=f"/{day}")])
            sizes.append(file.stat().st_size)
            s3.upload_file(str(file), BUCKET, f"cdn/E1.2026-11-{day:02}-12.{number}.gz")
    s3.put_object(Bucket=BUCKET, Key="cdn/", Body=b"")
    result = analyser(tmp_path)(
        addresses=(f"s3://{BUCKET}/cdn/",),
        until=datetime(2026, 11, 3),  # noqa: DTZ001 - UTC without a zone
        disk=max(sizes) * 2,
    )
    assert {url: count for (url, _), (count, _) in pairs(result).items()} == {
        "https://www.example.com/1": 3,
        "https://www.example.com/2": 3,
    }
    assert (result.files, result.pruned) == (6, 3)
    assert not list(tmp_path.glob("work*/object*"))


def test_a_part_that_another_program_is_writing_to_s3_is_not_a_log(aws: None, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    for key in ("cdn/_temporary/0/a.gz", "cdn/.a.gz.crc", "cdn/_a.gz", "cdn/2026/a.gz"):
        s3.upload_file(str(w3c(tmp_path / "up.gz", [record()])), BUCKET, key)
    listed, _ = s3_logs.objects(f"s3://{BUCKET}/cdn", None, None)
    assert [each.key for each in listed] == ["cdn/2026/a.gz"]
    # A name that the user has written is meant.
    assert len(s3_logs.objects(f"s3://{BUCKET}/cdn/_temporary/", None, None)[0]) == 1
    assert len(s3_logs.objects(f"s3://{BUCKET}/cdn/_a", None, None)[0]) == 1


def test_the_disk_holds_no_more_than_its_limit(aws: None, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    for number in range(7):
        s3.put_object(Bucket=BUCKET, Key=f"a/{number}", Body=b"x" * 100)
    listed, _ = s3_logs.objects(f"s3://{BUCKET}/a/", None, None)
    held = []
    for batch in s3_logs.batches(listed, tmp_path, 250):
        assert all(isinstance(file, LogFile) for file in batch)
        held.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
    assert held == [200, 200, 200, 100]
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_is_not_there_is_named(aws: None) -> None:
    assert "s3://no-such-bucket-here/x: S3 refuses access" in traffic("s3://no-such-bucket-here/x", code=2).stderr
