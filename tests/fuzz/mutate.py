"""Mutations of corpus entries, from a seed: the same seed gives the same inputs, so a failure can be repeated."""

import random
from collections.abc import Iterator
from pathlib import Path

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


def mutations(kind: str, seed: int, count: int) -> Iterator[bytes]:
    """Yield the corpus, then `count` changed entries of it."""
    chance = random.Random(seed)
    entries = corpus(kind)
    yield from entries
    for _ in range(count):
        data = bytearray(chance.choice(entries))
        for _ in range(chance.randint(1, 6)):
            start = chance.randint(0, len(data))
            end = min(len(data), start + chance.choice([0, 0, 1, 2, 8, 40]))
            data[start:end] = chance.choice(
                [chance.choice(PIECES), bytes([chance.randrange(256)]), bytes(data[start:end]) * 3]
            )
        yield bytes(data)
