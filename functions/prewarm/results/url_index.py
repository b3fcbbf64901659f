"""The URL index of a run: whether each URL is warm, found by its hash without reading the run's results. Pure.

A record has 21 bytes, big-endian: the first 8 bytes of the fetched form's SHA-256, the URL's index in the run (4),
its verdict (1: warm, 0: failed), the targets that are warm (4) and those that are reachable (4). The records are
sorted by hash. Two of a million URLs have the same 8 bytes once in 37 million runs.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from prewarm.results.rollup import UrlResult, Verdict

RECORD = struct.Struct(">8sIBII")
HASH_BYTES = 8
# Records of one read (about 86 KB). Hashes are spread evenly, so of a million URLs one lies within 2,000 places (four
# standard deviations) of where its hash says.
WINDOW = 4_096
# Reads after which a search halves what is left instead of guessing again.
GUESSES = 2


@dataclass(frozen=True, slots=True)
class IndexedUrl:
    """The entry of a run's index for one URL: its index in the run, its verdict, warm and reachable targets."""

    index: int
    success: bool
    warm: int
    reachable: int


def url_hash(fetched: str) -> bytes:
    """Return the hash of a URL's fetched form by which it is found."""
    return hashlib.sha256(fetched.encode()).digest()[:HASH_BYTES]


def build_index(results: Iterable[UrlResult], urls: Sequence[str], fetched: Mapping[int, str]) -> bytes:
    """Return the index of an ended run: `urls` as given, `fetched` the forms of those that are fetched in another."""
    return b"".join(
        sorted(
            RECORD.pack(
                url_hash(fetched.get(url.index, urls[url.index])),
                url.index,
                url.verdict is Verdict.SUCCESS,
                url.warm,
                url.reachable,
            )
            for url in results
        )
    )


def find_url(wanted: bytes, records: int, read: Callable[[int, int], bytes]) -> IndexedUrl | None:
    """Return the URL with a hash, or None.

    Args:
        wanted: its hash.
        records: the number of records in the index.
        read: returns the index's bytes from one position to before another.

    Raises:
        FileNotFoundError: the index has expired, or is shorter than it should be.

    """
    low, high, guesses = 0, records, 0
    while low < high:
        start = _guess(wanted, records) if guesses < GUESSES else (low + high - WINDOW) // 2
        start = min(max(low, start), max(low, high - WINDOW))
        end, guesses = min(high, start + WINDOW), guesses + 1
        window = read(start * RECORD.size, end * RECORD.size)
        if len(window) != (end - start) * RECORD.size:
            raise FileNotFoundError("the index of the run's URLs")
        if wanted < window[:HASH_BYTES]:
            high = start
        elif wanted > window[-RECORD.size : HASH_BYTES - RECORD.size]:
            low = end
        else:
            return _within(window, wanted)
    return None


def _guess(wanted: bytes, records: int) -> int:
    """Return the first record of the window around the place where evenly spread hashes have this one."""
    place = int.from_bytes(wanted) * records >> 8 * HASH_BYTES
    return place - WINDOW // 2


def _within(window: bytes, wanted: bytes) -> IndexedUrl | None:
    low, high = 0, len(window) // RECORD.size
    while low < high:
        middle = (low + high) // 2
        if window[middle * RECORD.size : middle * RECORD.size + HASH_BYTES] < wanted:
            low = middle + 1
        else:
            high = middle
    found, index, success, warm, reachable = RECORD.unpack_from(window, low * RECORD.size)
    return IndexedUrl(index, bool(success), warm, reachable) if found == wanted else None
