"""Secrets of a request stay in the S3 objects that workers read, and out of states, plan, records and logs."""

import gzip
import io
import json
import logging
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from prewarm.observability import logger
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import BUCKET, SYDNEY, TABLE, TOKYO, Machine, Ran, client, keys

SECRETS = ["c00kie-s3cret", "be4rer-s3cret", "s1gned-s3cret", "p0licy-s3cret", "t0ken-s3cret"]
MAY_HOLD_THEM = ("request.json", "plan/urls.json.gz", "plan/fetched.json.gz")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that the functions log, including debug lines."""
    written, before = io.StringIO(), logger.log_level
    handler = logging.StreamHandler(written)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    logger.setLevel("DEBUG")
    yield written
    logger.setLevel(before)
    logger._logger.removeHandler(handler)


def carried(machine: Machine, edge: SimulatedCloudFront) -> tuple[Ran, list[str]]:
    """Run a request with every kind of secret, stored as the API stores it; returns the states' data as text."""
    signed, broken, fine = fresh(3)
    urls = [
        fine,
        f"{signed}?Expires=1&Signature={SECRETS[2]}&Key-Pair-Id=K1&Policy={SECRETS[3]}",
        f"{broken}?v=1&access_token={SECRETS[4]}#top",
    ]
    edge.fault(path_of(urls[2]).partition("#")[0], "status:404")
    request: dict[str, Any] = {
        "url_list": urls,
        "region_type": "pop",
        "region": [SYDNEY[0], TOKYO],
        "headers": {"Cookie": f"id={SECRETS[0]}", "Authorization": f"Bearer {SECRETS[1]}"},
    }
    key = machine.storage.put_request("secret", request)
    states: list[Any] = [{"requestKey": key}]
    ran = machine.resolve(states[0], "secret")
    states.append(ran.resolved)
    for item in machine.items(ran):
        machine.warm(ran, item)
        states.append(item)
    states.append(machine.aggregate(ran))
    return ran, [json.dumps(state, ensure_ascii=False) for state in states]


def test_secrets_are_in_no_state_record_plan_summary_ledger_or_log_line(
    machine: Machine, edge: SimulatedCloudFront, log: io.StringIO
) -> None:
    _, states = carried(machine, edge)
    places = {f"state {number}": text for number, text in enumerate(states)}
    places["ledger"] = json.dumps(
        client("dynamodb").scan(TableName=TABLE)["Items"],
        default=lambda packed: zlib.decompress(packed).decode() if packed else "",
    )
    places["log"] = log.getvalue()
    for key in keys("runs/secret/"):
        body = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        places[key] = (gzip.decompress(body) if key.endswith(".gz") else body).decode(errors="replace")
    holders = {place for place, text in places.items() if any(secret in text for secret in SECRETS)}
    assert "aggregated" in places["log"]
    assert any("/records/" in key for key in places)
    expected = {
        place
        for place in places
        if place.removeprefix("runs/secret/").startswith(MAY_HOLD_THEM) or "/blocks/" in place
    }
    assert holders == expected
    assert len(expected) == 4


def test_redacted_url_is_recognizable(machine: Machine, edge: SimulatedCloudFront) -> None:
    ran, _ = carried(machine, edge)
    assert "v=1&access_token=…" in ran.output["cause"]
    assert HOST in ran.output["cause"]


def test_secrets_reach_the_edge_unchanged(machine: Machine, edge: SimulatedCloudFront) -> None:
    """Only messages are redacted: the fetched URL is the cache key, byte for byte."""
    carried(machine, edge)
    requested = edge.stats()["origin"]
    assert [path for path in requested if f"Signature={SECRETS[2]}&Key-Pair-Id=K1&Policy={SECRETS[3]}" in path]
    assert [path for path in requested if path.endswith(f"v=1&access_token={SECRETS[4]}")]
