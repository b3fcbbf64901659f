"""One run that a release stores, as it is when it was aborted, runs again, and has ended; and how it is put back.

Two distributions, two stages, a part of a batch that a second worker continues, a blocked URL, and a lost batch.
tests/integration/aggregate/test_release_runs.py compares what today's code stores with what the release stored; with
PREWARM_STORE_RELEASE=0.2.0 in the environment it stores that release's run.
"""

import base64
import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import aggregate.handler
import aggregate.run_ended_handler
import prewarm.storage.run_store
import warm.handler
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST
from tests.support.handlers import BUCKET, OLD, OTHER_HOST, SYDNEY, TABLE, TOKYO, Context, Machine, client, keys
from tests.support.stored_runs import put_renewed

RUNS = Path(__file__).parents[1] / "fixtures/runs"
STATES = ("aborted", "running", "ended")
NAME = "stored-by-a-release"
SLOW = [f"https://{HOST}/release/slow-{number}.js" for number in range(12)]
QUICK = [f"https://{HOST}/release/{number}.js" for number in range(3)]
BLOCKED = f"https://{HOST}/release/blocked.js"
SIGNED = f"https://{HOST}/release/signed.js?Signature=s3cr3t&Key-Pair-Id=K"
OTHER = [f"https://{OTHER_HOST}/release/{number}.png" for number in range(3)]
REQUEST: dict[str, Any] = {
    "url_list": [*QUICK, *SLOW, BLOCKED, SIGNED, *OTHER],
    "region_type": "pop",
    "region": [OLD, SYDNEY[0], TOKYO],
    "verify": "none",
    "staged": True,
    "label": "release",
    "headers": {"Accept-Language": "en"},
}
Stored = dict[str, Any]


def play(machine: Machine, edge: SimulatedCloudFront) -> dict[str, Stored]:
    """Play the run, and return what the stores hold in each of its states, with the workers' events and responses."""
    for url in SLOW:
        edge.put_object("/" + url.split("/", 3)[3], {"size": 400, "ttfb_ms": 400})
    edge.fault("/release/blocked.js", "waf_block")
    ran = machine.resolve(REQUEST, NAME)
    calls: list[dict[str, Any]] = []

    def work(item: dict[str, Any], cursor: object, redrives: int, seconds: float) -> dict[str, Any]:
        event = {"run": NAME, "batch": item, "cursor": cursor, "redrives": redrives, "childRedrives": 0}
        answer: dict[str, Any] = warm.handler.handler(json.loads(json.dumps(event)), Context(seconds))
        calls.append({"event": event, "response": answer})
        return answer

    items = machine.items(ran)
    slow = next(item for item in items if item["targets"] >= len(SLOW))
    first = work(slow, None, 0, 0.9)
    assert not first["finished"], "the worker had time for all"
    states = {"aborted": _abort(calls)}
    done = first
    while not done["finished"]:
        done = work(slow, json.loads(json.dumps(done["cursor"])), 1, 60)
    others = [item for item in items if item is not slow]
    assert len(others) > 1
    for item in others[:-1]:
        work(item, None, 1, 60)
    states["running"] = _stores(calls)
    output = aggregate.handler.handler({"run": NAME, "redrives": 1}, Context())
    states["ended"] = _stores(calls) | {"output": output}
    return states


def _abort(calls: list[dict[str, Any]]) -> Stored:
    arn = f"arn:aws:states:eu-central-1:123456789012:execution:prewarm:{NAME}"
    detail = {"executionArn": arn, "name": NAME, "status": "ABORTED", "redriveCount": 0}
    aggregate.run_ended_handler.handler({"detail": detail}, Context())
    return _stores(calls)


def _stores(calls: list[dict[str, Any]]) -> Stored:
    """Return the run's objects, decompressed (binary ones in Base64), and its items, as the stores return them."""
    objects = {}
    for key in keys(f"runs/{NAME}/"):
        body: bytes = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        name = key.removeprefix(f"runs/{NAME}/")
        body = gzip.decompress(body) if name.endswith(".gz") else body
        try:
            objects[name] = {"text": body.decode()}
        except UnicodeDecodeError:
            objects[name] = {"base64": base64.b64encode(body).decode()}
    items = client("dynamodb").scan(TableName=TABLE)["Items"]
    items = [
        {name: _readable(value) for name, value in item.items()}
        for item in items
        if item["run"]["S"] == NAME or item["sk"]["S"].endswith(NAME)
    ]
    return {"objects": objects, "items": items, "calls": list(calls)}


def _readable(value: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"base64": base64.b64encode(it).decode()} if kind == "B" else it for kind, it in value.items()}


def save(version: str, states: dict[str, Stored]) -> None:
    """Write the states to the release's folder."""
    folder = RUNS / version
    folder.mkdir(exist_ok=True)
    for state, stored in states.items():
        text = json.dumps(stored, indent=1, sort_keys=True)
        (folder / f"{state}.json").write_text(text + "\n", encoding="utf-8")


def load(version: str, state: str) -> Stored:
    """Return a state of a release's run."""
    stored: Stored = json.loads((RUNS / version / f"{state}.json").read_text(encoding="utf-8"))
    return stored


def restore(version: str, state: str) -> Stored:
    """Put a release's run into the stores as it was in a state; return that state.

    Deadline and expiry are moved to an hour from now, so that the run is as far from them as when it was stored, on
    whatever day a test runs.
    """
    stored = load(version, state)
    for name, content in stored["objects"].items():
        body = base64.b64decode(content["base64"]) if "base64" in content else content["text"].encode()
        if name == "plan/plan.json":
            body = json.dumps(json.loads(body) | {"deadline": time.time() + 3600}).encode()
        body = gzip.compress(body) if name.endswith(".gz") else body
        client("s3").put_object(Bucket=BUCKET, Key=f"runs/{NAME}/{name}", Body=body)
    for item in stored["items"]:
        put_renewed(
            {
                name: {kind: base64.b64decode(it["base64"]) if kind == "B" else it for kind, it in value.items()}
                for name, value in item.items()
            }
        )
    prewarm.storage.run_store.storage.cache_clear()
    return stored


def form(stored: Stored) -> dict[str, Any]:
    """Return the form of what is stored: keys without numbers and chance, fields, and the kinds of their values."""
    objects: dict[str, Any] = {}
    for name, content in stored["objects"].items():
        objects[_pattern(name)] = _merged(objects.get(_pattern(name)), _form_of_text(content))
    items: dict[str, Any] = {}
    for item in stored["items"]:
        kinds = {name: sorted(value) for name, value in item.items()}
        kind = _pattern(item["sk"]["S"])
        items[kind] = items.get(kind, {}) | kinds
    return {"objects": objects, "items": items}


def _pattern(name: str) -> str:
    """Replace attempts, numbers and times in a key."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", name.replace(NAME, "RUN"))


def _form_of_text(content: dict[str, str]) -> Any:
    if "base64" in content:
        return "binary"
    try:
        return _kind(json.loads(content["text"]))
    except ValueError:
        pass
    lines = content["text"].splitlines()
    if lines and lines[0].startswith("{"):
        return _kind([json.loads(line) for line in lines])
    return "text"


def _kind(value: Any) -> Any:
    """Return names of fields and kinds of values; the entries of a list have one form together."""
    if isinstance(value, dict):
        return {_pattern(name) if "/" in name or "-" in name else name: _kind(each) for name, each in value.items()}
    if isinstance(value, list):
        merged: Any = None
        for each in value:
            merged = _merged(merged, _kind(each))
        return [merged]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _merged(first: Any, second: Any) -> Any:
    """Return one form for two values of one kind; None and an absent value are of every kind."""
    if first is None or first == "NoneType":
        return second
    if isinstance(first, dict) and isinstance(second, dict):
        return {name: _merged(first.get(name), second.get(name)) for name in first | second}
    if isinstance(first, list) and isinstance(second, list):
        return [_merged(first[0], second[0])]
    return first
