"""Mutations of corpus entries, from a seed: the same seed gives the same inputs, so a failure can be repeated."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
# Pieces that have broken parsers: numbers, escapes, separators, encodings, deep nesting.
PIECES = [
    *(b"null", b"true", b"-0", b"1e999", b"1" * 400, b"9223372036854775808", b"NaN", b'""', b"{}"),
    *(b"[]", b"[" * 8),
    *(b"\\ud800", b"\\u0000", b"\\", b'"', b"\x00", b"\xff", b"\xed\xa0\x80", b"%", b"%00", b"%%", b"..", b"//"),
    *(b"@", b"*", b"https://", b"s3://", b"?token=", b";a=", b"\r\n", b"xn--", b"0x7f.1", b":", b",", b"{", b"}"),
    "漢".encode() * 90,
]  # fmt: skip


def corpus(kind: str) -> list[bytes]:
    """Return the stored inputs of one target, by name."""
    return [path.read_bytes() for path in sorted((CORPUS / kind).iterdir())]


# Values in the place of any part of a JSON document.
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf"), "", "0", "-1"),
    *("\ud800", "漢" * 9, [], {}, [[]], {"": None}, [None], "eJwDAAAAAAE=", "2026-05-01", "x" * 3_000),
]  # fmt: skip
# Targets whose inputs are JSON documents: most of their mutations stay JSON.
DOCUMENTS = frozenset({"event", "stored", "cursor"})


def mutations(kind: str, seed: int, count: int) -> Iterator[bytes]:
    """Yield the corpus, then `count` changed entries of it."""
    chance = random.Random(seed)
    entries = corpus(kind)
    yield from entries
    for _ in range(count):
        entry = chance.choice(entries)
        if kind in DOCUMENTS and chance.random() < 0.8:
            yield json.dumps(_changed_document(json.loads(entry), chance)).encode()
        else:
            yield _changed_bytes(entry, chance)


def _changed_bytes(entry: bytes, chance: random.Random) -> bytes:
    data = bytearray(entry)
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.choice([0, 0, 1, 2, 8, 40]))
        data[start:end] = chance.choice(
            [chance.choice(PIECES), bytes([chance.randrange(256)]), bytes(data[start:end]) * 3]
        )
    return bytes(data)


def _changed_document(document: Any, chance: random.Random) -> Any:
    """Return a document of which a few parts are replaced, removed, doubled or damaged."""
    for _ in range(chance.randint(1, 4)):
        places = list(_places(document))
        if not places:
            break
        holder, key = chance.choice(places)
        value = holder[key]
        kind = chance.randrange(5)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(value))
        elif kind == 2 and isinstance(value, str):
            holder[key] = _changed_bytes(value.encode("utf-8", "surrogatepass"), chance).decode("utf-8", "replace")
        elif kind == 3 and isinstance(value, int | float):
            holder[key] = value + chance.choice([-1, 1, 1_000, -(10**6)])
        else:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
    return document


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each part of a document as its holder and key."""
    for key in list(document) if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from _places(document[key])
