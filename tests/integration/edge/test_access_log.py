"""The simulation's access log has what the edge answered, in CloudFront's standard format (legacy)."""

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prewarm_local.edge.access_log import AccessLog, encode
from tests.support.access_logs import LEGACY_FIELDS
from tests.support.edge_client import DALLAS, DOMAIN, HOST, TOKYO, Client, both_protocols

Lines = Callable[[], list[dict[str, str]]]
DAY = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)


@pytest.fixture
def lines(client: Client, tmp_path: Path) -> Iterator[Lines]:
    """Log the client's requests; the function returns the records so far, by field."""

    def read() -> list[dict[str, str]]:
        records = []
        for path in client.edge.deliver_logs():
            version, fields, *rest = gzip.decompress(path.read_bytes()).decode().splitlines()
            assert (version, fields) == ("#Version: 1.0", f"#Fields: {' '.join(LEGACY_FIELDS)}")
            records += [dict(zip(LEGACY_FIELDS, line.split("\t"), strict=True)) for line in rest]
        return records

    client.edge.log_to(tmp_path / "logs", DAY)
    yield read
    client.edge.log_to(None)


@both_protocols
def test_line_has_what_the_viewer_asked_and_got(client: Client, path: str, lines: Lines, version: int) -> None:
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux) 100%"}
    got = client.request(f"{path}?a=%20b&c='", TOKYO, version=version, headers=agent)
    client.request(f"{path}?a=%20b&c='", TOKYO, version=version, headers=agent)
    client.request("/missing", DALLAS, version=version, method="HEAD")
    first, second, head = lines()
    assert {
        "date": "2026-11-01", "x-edge-location": TOKYO, "c-ip": "127.0.0.1", "cs-method": "GET", "cs(Host)": DOMAIN,
        "cs-uri-stem": path, "sc-status": "200", "cs(User-Agent)": "Mozilla/5.0%20(X11;%20Linux)%20100%25",
        "cs-uri-query": "a=%2520b&c=%27", "x-edge-result-type": "Miss", "x-host-header": HOST, "cs-protocol": "https",
        "x-edge-detailed-result-type": "Miss", "cs(Cookie)": "-", "sc-range-end": "-",
        "sc-content-len": got.headers["content-length"], "x-edge-request-id": got.headers["x-amz-cf-id"],
    }.items() <= first.items()  # fmt: skip
    assert first["time"].startswith("23:3")
    assert first["cs-protocol-version"] in {"HTTP/1.1", "HTTP/2.0"}
    assert first["ssl-protocol"].startswith("TLSv1.")
    assert 0 < int(first["sc-bytes"]) - len(got.body) < 1_000
    assert second["x-edge-result-type"] == "Hit"
    assert (head["cs-method"], head["sc-status"], head["x-edge-result-type"]) == ("HEAD", "404", "Error")
    assert lines() == []


def test_plain_http_and_hosts_of_no_distribution_are_distinguished(client: Client, path: str, lines: Lines) -> None:
    client.request(path, scheme="http", version=0)
    client.request(path, host="other.example.org")
    (line,) = lines()
    assert (line["cs-protocol"], line["ssl-protocol"], line["ssl-cipher"]) == ("http", "-", "-")


@both_protocols
def test_viewer_that_leaves_is_an_error_with_the_bytes_it_was_sent(
    client: Client, lines: Lines, version: int
) -> None:
    client.request("/big.bin", version=version, leave_after=100_000)
    until = time.monotonic() + 5
    found: list[dict[str, str]] = []
    while not found and time.monotonic() < until:
        found = lines()
    (line,) = found
    assert (line["sc-status"], line["x-edge-result-type"]) == ("200", "Error")
    # The first viewer's copy may have reached the regional edge cache.
    assert line["x-edge-response-result-type"] in {"Miss", "Hit"}
    assert line["x-edge-detailed-result-type"] == "ClientCommError"
    assert 100_000 <= int(line["sc-bytes"]) < 5_000_000


def test_records_of_two_hours_are_two_files(tmp_path: Path) -> None:
    now = [0.0]
    log = AccessLog(tmp_path, DAY.timestamp(), lambda: now[0])
    log.add("d1.cloudfront.net", TOKYO, {"sc-status": "200"})
    now[0] = 3_600.0
    log.add("d1.cloudfront.net", TOKYO, {"sc-status": "200"})
    assert [path.name.rsplit(".", 2)[0] for path in log.deliver()] == ["ED1.2026-11-01-23", "ED1.2026-11-02-00"]
    assert log.deliver() == []


@pytest.mark.parametrize(
    ("value", "logged"),
    [("", "-"), ("/a~b%20c", "/a%7Eb%2520c"), ("caf\xe9 \t{}", "caf%E9%20%09%7B%7D"), ("a=1&b=/?;", "a=1&b=/?;")],
)
def test_values_are_percent_encoded_as_documented(value: str, logged: str) -> None:
    assert encode(value) == logged
