"""Take the entries of one source into a run: as a URL, as skipped with a reason, or as left out by choice."""

from ada_url import URL

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.planning.source_report import EXAMPLES_SHOWN, LeftOut, SourceReport
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import URLS_AT_MOST
from prewarm.urls import Url, redacted
from resolve.sources.boundary import BudgetSpent, Place
from resolve.sources.budget import Budget

# What a decoder writes for bytes that are not text, and the XML reader for an entity that is not declared.
REPLACEMENT = "\ufffd"
# A host of a document is looked up in DNS unless a distribution lists it; a run looks up at most this many.
UNKNOWN_HOSTS_AT_MOST = 1_000
# With strict_sources, reading stops after this many problems.
PROBLEMS_AT_MOST = 10_000
# Distinct reasons of one source that are listed apart; further ones are counted together.
REASONS_AT_MOST = 50
OTHER_REASONS = "further reasons"


class Intake:
    """The entries of one source so far; each address counts once.

    With `strict`, an entry that cannot be warmed is a problem of the request.
    """

    def __init__(self, source: str, address: str, budget: Budget, *, strict: bool) -> None:
        self.source, self.address, self.budget = source, address, budget
        self._strict, self.place = strict, Place()
        self.parts = self.parts_skipped = 0
        self.urls: dict[str, Url] = {}
        self.own = ""
        self._left_out: dict[tuple[str, bool], tuple[int, list[str]]] = {}
        self._seen: set[str] = set()
        self._problems: list[Problem] = []

    def add(self, address: str, base: str | None = None, place: str = "") -> Url | None:
        """Take an address, resolved against `base` if that is given; returns its URL, or None if it is skipped.

        Raises:
            BudgetSpent: the sources list more than a run accepts.

        """
        url = self.url_of(address, base, place)
        if url is not None:
            self.take(url)
        return url

    def take(self, url: Url) -> None:
        """Take a URL; raises BudgetSpent."""
        self.urls.setdefault(url.fetch, url)
        if len(self.urls) > URLS_AT_MOST:
            raise BudgetSpent(f"lists more than {URLS_AT_MOST:,} URLs; use its filters, or split the run")

    def url_of(self, address: str, base: str | None = None, place: str = "") -> Url | None:
        """Return an address as a URL without taking it; None if it is skipped."""
        self.budget.add_entry()
        try:
            return resolve_address(address, base)
        except ValueError as error:
            self.skip(address, f"the URL {error}", place)
            return None

    def skip(self, address: str, reason: str, place: str = "") -> None:
        """Count an entry that cannot be warmed; `place`: where it is, for the example.

        Raises:
            InvalidRequest: sources are strict, and there are too many problems.

        """
        key = f"{reason}\n{address}"
        if key in self._seen:
            return
        self._seen.add(key)
        self.budget.add_entry()
        if self._strict:
            at = f" ({place})" if place else ""
            self._problems.append(
                Problem(self.source, f"lists {truncate(_printable(redacted(address)))!r}{at}: {reason}")
            )
            if len(self._problems) >= PROBLEMS_AT_MOST:
                self.check_strict()
        self._count(_general(reason), address, 1, place, skipped=True)

    def leave_out(self, address: str, reason: str, count: int = 1) -> None:
        """Count entries that the request excludes, or that warming does not need."""
        if count > 0:
            self._count(reason, address, count, "", skipped=False)

    def _count(self, reason: str, address: str, count: int, place: str, *, skipped: bool) -> None:
        key = (reason, skipped)
        if key not in self._left_out and len(self._left_out) >= REASONS_AT_MOST:
            key = (OTHER_REASONS, skipped)
        number, examples = self._left_out.get(key, (0, []))
        if len(examples) < EXAMPLES_SHOWN and address:
            example = truncate(_printable(redacted(address)))
            example = f"{example} ({place})" if place else example
            if example not in examples:
                examples.append(example)
        self._left_out[key] = (number + count, examples)

    def skip_part(self, address: str, reason: str) -> None:
        """Count a part of the source, such as a sitemap of an index, that cannot be read."""
        self.count_skipped_part()
        self.skip(address, reason)

    def count_part(self) -> None:
        """Count a part of the source that was read."""
        self.parts += 1

    def count_skipped_part(self) -> None:
        """Count a part of the source whose address is skipped."""
        self.parts += 1
        self.parts_skipped += 1

    def take_own(self, url: Url) -> None:
        """Take the source's own document, which is not an entry of it."""
        self.own = url.fetch
        self.take(url)

    def drop_hosts(self, reasons: dict[str, str]) -> None:
        """Skip the URLs of hosts that may not be warmed; `reasons` by host."""
        for url in [each for each in self.urls.values() if each.host in reasons]:
            del self.urls[url.fetch]
            self.skip(url.given, reasons[url.host])

    def check_strict(self) -> None:
        """Raise InvalidRequest if sources are strict and an entry was skipped."""
        if self._problems:
            raise InvalidRequest(self._problems)

    @property
    def listed(self) -> int:
        """Return the number of URLs that the source lists, its own document not counted."""
        return len(self.urls) - (self.own in self.urls)

    def report(self) -> SourceReport:
        """Return what was taken and left out, the most frequent reasons first."""
        ordered = sorted(self._left_out.items(), key=lambda item: -item[1][0])
        left_out = tuple(
            LeftOut(reason, count, tuple(examples), skipped) for (reason, skipped), (count, examples) in ordered
        )
        return SourceReport(
            self.source,
            redacted(self.address),
            self.listed,
            left_out,
            parts=self.parts,
            parts_skipped=self.parts_skipped,
        )


def resolve_address(address: str, base: str | None = None) -> Url:
    """Return an entry's address as a URL, as a browser resolves it against `base`.

    Raises:
        ValueError: it cannot be warmed; the message says why.

    """
    if REPLACEMENT in address:
        raise ValueError("has characters that are not valid in the document's encoding, or an undeclared entity")
    if base is None:
        return parse_url(address)
    try:
        joined = URL(address, base=base).href
    except ValueError as error:
        raise ValueError("is not a valid address") from error
    return parse_url(joined)


def _printable(text: str) -> str:
    """Return a document's text for display: a character that is not printable as U+FFFD."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else REPLACEMENT for sign in text)


def _general(reason: str) -> str:
    """Return a reason without the values that differ from entry to entry, so that one kind is counted together."""
    parts = reason.split("'")
    return "'…'".join(parts[::2]) if len(parts) > 2 and len(parts) % 2 else reason  # noqa: PLR2004 - a quoted value
