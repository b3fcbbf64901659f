"""What runs have learned, in S3: `knowledge/pops.json` and `knowledge/networks.json`.

Each is one object that is written only if it is still the one that was read (If-Match, If-None-Match), and otherwise
read and merged again, so that concurrent runs lose nothing. Nothing here fails a run: what goes wrong is a warning.
"""

import datetime as dt
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prewarm.storage.bucket import Bucket, TooLarge, Unavailable
from prewarm.storage.keys import NETWORKS_KEY, POPS_KEY

if TYPE_CHECKING:
    from prewarm.knowledge import Knowledge

# 3,000 POPs and 1,000 candidates, as many as are kept, have 330 KB.
MOST_BYTES = 1_000_000
# A try is lost only to a run that has written, so this takes as many runs at the same moment.
TRIES = 8
SECONDS_AT_MOST = 10.0
LONGEST_PAUSE = 0.2


@dataclass(frozen=True)
class Stored:
    """A document as it was read: its content, None if it is missing or unreadable, and why; `version`: its ETag."""

    content: Any = None
    version: str | None = None
    problem: str = ""


class KnowledgeStore(Bucket):
    """Reads and writes what runs have learned."""

    def get_knowledge(self, today: dt.date) -> tuple["Knowledge", str]:
        """Return what runs have learned about POPs, and a warning if that cannot be read, or not all of it."""
        _, knowledge, problem = self._knowledge(today)
        return knowledge, f"{self.location(POPS_KEY)} {problem}; the catalogue is used" if problem else ""

    def learn(self, found: "Knowledge", today: dt.date, pause: Callable[[float], None] = time.sleep) -> str:
        """Add what a run has found; return a warning if it cannot be stored.

        Nothing is written if all of it is known.
        """
        end = time.monotonic() + SECONDS_AT_MOST
        problem = ""
        for count in range(TRIES):
            if count:
                pause(random.uniform(0, LONGEST_PAUSE * count))  # noqa: S311 - spreads writers
            stored, known, problem = self._knowledge(today)
            if stored.version is None and problem:
                break
            merged = known.merged(found, today)
            if merged == known and not problem:
                return ""
            written, problem = self._write(POPS_KEY, merged.as_json(), stored.version)
            if written:
                return ""
            if problem or time.monotonic() >= end:
                break
        problem = problem or "was written by other runs at each try"
        return f"what this run learned about POPs is not kept: {self.location(POPS_KEY)} {problem}"

    def get_networks(self) -> Stored:
        """Return the stored networks and the last check of AWS's list, as `put_networks` has them."""
        return self._read(NETWORKS_KEY)

    def put_networks(self, document: dict[str, Any], version: str | None) -> str:
        """Store the networks unless another run has since `version` was read; return why they cannot be stored."""
        _, problem = self._write(NETWORKS_KEY, document, version)
        return f"{self.location(NETWORKS_KEY)} {problem}" if problem else ""

    def _knowledge(self, today: dt.date) -> tuple[Stored, "Knowledge", str]:
        # Not at the top: a worker has this store too, and never asks it, so its cold start is spared the catalogue.
        from prewarm.knowledge import Knowledge, LaterVersion, read_knowledge  # noqa: PLC0415

        stored = self._read(POPS_KEY)
        if stored.content is None:
            return stored, Knowledge(), stored.problem
        try:
            knowledge, unusable = read_knowledge(stored.content, today)
        except LaterVersion as later:
            # Without its version it is not replaced.
            return Stored(), Knowledge(), str(later)
        except ValueError as error:
            return stored, Knowledge(), str(error)
        return stored, knowledge, f"has {unusable:,} damaged entries" if unusable else ""

    def _read(self, key: str) -> Stored:
        try:
            found = self._get_versioned(key, MOST_BYTES)
        except TooLarge as large:
            return Stored(None, large.version, f"is damaged: {large}")
        except Unavailable as error:
            return Stored(problem=f"cannot be read: {error}")
        if found is None:
            return Stored()
        body, version = found
        try:
            return Stored(json.loads(body), version)
        except (ValueError, RecursionError):
            return Stored(None, version, "is damaged: it is not JSON")

    def _write(self, key: str, document: dict[str, Any], version: str | None) -> tuple[bool, str]:
        """Return whether the document was stored, and why it cannot be; neither if another writer was first."""
        try:
            return self._put_version(key, document, version), ""
        except Unavailable as error:
            return False, f"cannot be written: {error}"
