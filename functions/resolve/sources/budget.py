"""What reading a run's sources may use in all: entries, elements, bytes and seconds, counted while reading."""

import time
from collections.abc import Callable

from prewarm.request.url_sources import URLS_AT_MOST
from resolve.sources.boundary import BudgetSpent

# Entries that documents list, before duplicates are removed: HLS names one file in many byte ranges.
ENTRIES_AT_MOST = 2 * URLS_AT_MOST
# XML elements, a million URLs of a sitemap with every optional element; only a few are in memory at a time.
ELEMENTS_AT_MOST = 20_000_000
# Nodes of one DASH manifest's tree (about 300 bytes each): a day of two-second segments in ten renditions is 432,000.
NODES_AT_MOST = 500_000
# Decompressed bytes of all documents: a million URLs of 250 bytes in a sitemap with its markup, several times over.
BYTES_AT_MOST = 2_000_000_000
# A third of the resolve function's time limit (900 s); the rest is for DNS, the probe and the plan.
SECONDS_AT_MOST = 300.0
# The entries after which the clock is read.
CLOCK_EVERY = 1_000


class Budget:
    """Counts what a run's sources use; one for all sources of a run."""

    def __init__(self, seconds: float = SECONDS_AT_MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._seconds = clock, seconds
        self._ends = clock() + seconds
        self.entries = self.elements = self.bytes = 0

    def add_entry(self) -> None:
        """Count one entry that a document lists.

        Raises:
            BudgetSpent: the sources list too many, or reading takes too long.

        """
        self.entries += 1
        if self.entries > ENTRIES_AT_MOST:
            raise BudgetSpent(f"lists too much: a run's sources may list {ENTRIES_AT_MOST:,} entries; split the run")
        if not self.entries % CLOCK_EVERY:
            self.check_time()

    def add_element(self) -> None:
        """Count one XML element; raises BudgetSpent."""
        self.elements += 1
        if self.elements > ELEMENTS_AT_MOST:
            raise BudgetSpent(f"has too many elements: a run's sources may have {ELEMENTS_AT_MOST:,}; split the run")

    def add_bytes(self, count: int) -> None:
        """Count decompressed bytes; raises BudgetSpent."""
        self.bytes += count
        if self.bytes > BYTES_AT_MOST:
            raise BudgetSpent(f"is too large: a run's sources may have {BYTES_AT_MOST:,} bytes; split the run")
        self.check_time()

    def seconds_left(self) -> float:
        """Return the seconds that are left for reading sources."""
        return max(0.0, self._ends - self._clock())

    def check_time(self) -> None:
        """Raise BudgetSpent if reading takes too long."""
        if self._clock() > self._ends:
            raise BudgetSpent(f"was not read in time: a run's sources may take {self._seconds:g} s; split the run")
