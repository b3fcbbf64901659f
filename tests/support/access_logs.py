"""Access logs in the formats that AWS documents, written from the documentation and not from the reader.

Sources: CloudFront Developer Guide, "Standard logging reference" (fields, order, percent-encoding, hyphens),
"Configure standard logging (v2)" (output formats, chosen fields, partitions), "Use real-time access logs" (fields,
headerless records, query in the stem); Athena User Guide, "Create a table … with Parquet" (names).
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

LEGACY_FIELDS = [
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
    "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
    "x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port",
    "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
    "sc-range-end",
]  # fmt: skip
REAL_TIME_FIELDS = [
    "timestamp", "c-ip", "time-to-first-byte", "sc-status", "sc-bytes", "cs-method", "cs-protocol", "cs-host",
    "cs-uri-stem", "cs-bytes", "x-edge-location", "x-edge-request-id", "x-host-header", "time-taken",
    "cs-protocol-version", "c-ip-version", "cs-user-agent",
]  # fmt: skip
BROWSER = "Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)"
# One record, as the documentation describes each field; IPv6 viewers are ordinary.
RECORD = {
    "date": "2026-11-01",
    "time": "12:00:00",
    "timestamp": "1793534400.250",
    "x-edge-location": "NRT57-P3",
    "sc-bytes": "4096",
    "c-ip": "2001:db8:85a3::8a2e:370:7334",
    "cs-method": "GET",
    "cs(Host)": "d111111abcdef8.cloudfront.net",
    "cs-uri-stem": "/index.html",
    "sc-status": "200",
    "cs(User-Agent)": BROWSER,
    "cs-user-agent": BROWSER,
    "cs-uri-query": "-",
    "x-edge-result-type": "Hit",
    "x-host-header": "www.example.com",
    "cs-host": "www.example.com",
    "cs-protocol": "https",
}


def record(**changes: str) -> dict[str, str]:
    """Return a record; `pop`, `stem`, `query`, `status`, `agent`, `host` and others change its fields."""
    names = {
        "pop": ["x-edge-location"],
        "stem": ["cs-uri-stem"],
        "query": ["cs-uri-query"],
        "status": ["sc-status"],
        "size": ["sc-bytes"],
        "agent": ["cs(User-Agent)", "cs-user-agent"],
        "host": ["x-host-header", "cs-host"],
        "method": ["cs-method"],
        "protocol": ["cs-protocol"],
        "date": ["date"],
        "time": ["time"],
        "range_end": ["sc-range-end"],
    }
    found = dict(RECORD)
    for name, value in changes.items():
        found |= dict.fromkeys(names[name], value)
    return found


def line(fields: Sequence[str], values: Mapping[str, str], delimiter: str = "\t") -> str:
    return delimiter.join(values.get(field, "-") for field in fields)


def w3c(
    path: Path,
    records: Iterable[Mapping[str, str]],
    fields: Sequence[str] = LEGACY_FIELDS,
    *,
    extra: Sequence[str] = (),
    version: bool = True,
    delimiter: str = "\t",
) -> Path:
    """Write a gzip file with a #Fields line; `extra`: lines behind the records, such as damaged ones."""
    header = (["#Version: 1.0"] if version else []) + [f"#Fields: {' '.join(fields)}"]
    lines = [*header, *(line(fields, each, delimiter) for each in records), *extra]
    return written(path, "\n".join(lines) + "\n")


def real_time(path: Path, records: Iterable[Mapping[str, str]], fields: Sequence[str] = REAL_TIME_FIELDS) -> Path:
    """Write real-time records as Firehose delivers them: no header; `x-host-header` is the distribution's domain."""
    domain = {"x-host-header": "d111111abcdef8.cloudfront.net"}
    return written(path, "".join(line(fields, {**each, **domain}) + "\n" for each in records))


def json_lines(path: Path, records: Iterable[Mapping[str, str]], fields: Sequence[str] = LEGACY_FIELDS) -> Path:
    text = "".join(json.dumps({name: each.get(name, "-") for name in fields}) + "\n" for each in records)
    return written(path, text)


def parquet(path: Path, records: Sequence[Mapping[str, str]], fields: Sequence[str] = LEGACY_FIELDS) -> Path:
    """Write Parquet with the column names of the Athena User Guide: all strings, underscores."""
    import duckdb  # noqa: PLC0415 - slow to import

    path.parent.mkdir(parents=True, exist_ok=True)
    names = [name.lower().replace("(", "_").replace(")", "").replace("-", "_") for name in fields]
    connection = duckdb.connect()
    columns = ", ".join(f"{name} VARCHAR" for name in (f'"{each}"' for each in names))
    connection.execute(f"CREATE TABLE t ({columns})")
    marks = ", ".join("?" for _ in names)
    connection.executemany(
        f"INSERT INTO t VALUES ({marks})", [[each.get(name, "-") for name in fields] for each in records]
    )
    connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def written(path: Path, text: str | bytes) -> Path:
    """Write a file, compressed if its name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path


def create_log_table(connection: duckdb.DuckDBPyConnection, records: Iterable[Mapping[str, str]]) -> None:
    """Create the table `logs.cloudfront` with records of the legacy format, its columns named as in Athena's DDL."""
    names = [name.lower().replace("(", "_").replace(")", "").replace("-", "_") for name in LEGACY_FIELDS]
    connection.execute("CREATE SCHEMA logs")
    columns = ", ".join(f'"{name}" VARCHAR' for name in names)
    connection.execute(f"CREATE TABLE logs.cloudfront ({columns})")
    connection.executemany(
        f"INSERT INTO logs.cloudfront VALUES ({', '.join('?' * len(names))})",
        [[each.get(name, "-") for name in LEGACY_FIELDS] for each in records],
    )
