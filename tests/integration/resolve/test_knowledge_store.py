"""Runs that learn at the same moment lose nothing, and what is damaged in the bucket is a warning."""

import datetime as dt
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from prewarm.knowledge import KEPT_DAYS, RUN, Knowledge, Sighting, sightings
from prewarm.storage.keys import NETWORKS_KEY, POPS_KEY
from prewarm.storage.knowledge_store import MOST_BYTES, TRIES, KnowledgeStore
from tests.support.handlers import BUCKET, Machine, client

TODAY = dt.date(2026, 6, 30)


def of(*pops: str) -> Knowledge:
    return Knowledge(sightings(pops, TODAY, RUN))


def put(body: bytes, key: str = POPS_KEY) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def kept(store: KnowledgeStore) -> set[str]:
    knowledge, warning = store.get_knowledge(TODAY)
    assert warning == ""
    return set(knowledge.pops)


def between(store: KnowledgeStore, monkeypatch: pytest.MonkeyPatch, others: list[Knowledge]) -> None:
    """Let other runs write between a writer's read and its write, one at each of its tries."""
    write = store._write

    def overtaken(key: str, document: dict[str, Any], version: str | None) -> tuple[bool, str]:
        if others:
            other, *others[:] = others
            monkeypatch.setattr(store, "_write", write)
            assert store.learn(other, TODAY, lambda _: None) == ""
            monkeypatch.setattr(store, "_write", overtaken)
        return write(key, document, version)

    monkeypatch.setattr(store, "_write", overtaken)


def test_writers_that_overtake_each_other_lose_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them finds no document (If-None-Match), the later ones another version (If-Match)."""
    others = [of(f"NRT9{number}-P1") for number in range(4)]
    between(machine.storage, monkeypatch, others)
    assert machine.storage.learn(of("NRT98-P1"), TODAY, lambda _: None) == ""
    assert kept(machine.storage) == {"NRT90-P1", "NRT91-P1", "NRT92-P1", "NRT93-P1", "NRT98-P1"}


def test_writer_that_is_overtaken_at_each_try_warns_and_loses_only_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [of(f"NRT{number}-P1") for number in range(100, 100 + TRIES)]
    between(machine.storage, monkeypatch, others)
    warning = machine.storage.learn(of("NRT98-P1"), TODAY, lambda _: None)
    assert warning.endswith("knowledge/pops.json was written by other runs at each try")
    assert kept(machine.storage) == {f"NRT{number}-P1" for number in range(100, 100 + TRIES)}


def test_write_that_follows_another_one_is_refused_by_its_condition(machine: Machine) -> None:
    put(b"{}", NETWORKS_KEY)
    before = machine.storage.get_networks()
    put(b'{"later": 1}', NETWORKS_KEY)
    assert machine.storage.put_networks({"earlier": 1}, before.version) == ""
    assert machine.storage.put_networks({"earlier": 1}, None) == ""
    assert machine.storage.get_networks().content == {"later": 1}


def test_known_pops_are_not_written_again_and_old_ones_fall_out(machine: Machine) -> None:
    old = dt.date(2026, 6, 30) - dt.timedelta(days=KEPT_DAYS + 1)
    document = Knowledge({"NRT97-P1": Sighting(old, old)} | dict(of("NRT98-P1").pops)).as_json()
    put(json.dumps(document).encode())
    version = client("s3").head_object(Bucket=BUCKET, Key=POPS_KEY)["ETag"]
    assert kept(machine.storage) == {"NRT98-P1"}
    assert machine.storage.learn(of("NRT98-P1"), TODAY) == ""
    assert client("s3").head_object(Bucket=BUCKET, Key=POPS_KEY)["ETag"] == version
    machine.storage.learn(of("NRT99-P1"), TODAY)
    stored = json.loads(client("s3").get_object(Bucket=BUCKET, Key=POPS_KEY)["Body"].read())
    assert set(stored["pops"]) == {"NRT98-P1", "NRT99-P1"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}", "has version"),
        (b'{"version":1,"pops":{"NRT99-P1":7}}', "has 1 damaged entries"),
        (b'{"x":"' + b"x" * MOST_BYTES + b'"}', "at most 1,000,000 are read"),
    ],
    ids=["empty", "bytes", "deep", "list", "unversioned", "entry", "huge"],
)
def test_damaged_document_is_a_warning_and_is_replaced(machine: Machine, body: bytes, problem: str) -> None:
    put(body)
    knowledge, warning = machine.storage.get_knowledge(TODAY)
    assert knowledge == Knowledge()
    assert problem in warning
    assert warning.endswith("the catalogue is used")
    assert machine.storage.learn(of("NRT98-P1"), TODAY) == ""
    assert kept(machine.storage) == {"NRT98-P1"}


def test_document_of_a_later_version_is_kept(machine: Machine) -> None:
    put(b'{"version":2}')
    assert "later version" in machine.storage.get_knowledge(TODAY)[1]
    assert "is not kept" in machine.storage.learn(of("NRT98-P1"), TODAY)
    assert client("s3").get_object(Bucket=BUCKET, Key=POPS_KEY)["Body"].read() == b'{"version":2}'


def test_refused_access_is_a_warning_and_nothing_is_written(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(b'{"version":1}')

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    monkeypatch.setattr(machine.storage._s3, "get_object", refuse)
    assert "cannot be read: AccessDenied" in machine.storage.get_knowledge(TODAY)[1]
    assert "cannot be read: AccessDenied" in machine.storage.learn(of("NRT98-P1"), TODAY)
    monkeypatch.undo()
    assert kept(machine.storage) == set()
