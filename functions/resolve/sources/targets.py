"""Targets in S3: pairs of URL and POP with their demand, optionally gzip; prewarm.targets_csv has the format.

The list is read piece by piece: what stays in memory grows with its URLs, not with its bytes.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from prewarm.catalogue import location_of
from prewarm.errors import PROBLEMS_SHOWN, UNLISTED, InvalidRequest, Problem, truncate
from prewarm.planning.source_report import LeftOut, SourceReport
from prewarm.request.model import CheckedRequest
from prewarm.request.url_parser import LONGEST_URL, near_urls, parse_url
from prewarm.request.url_sources import LIST_BYTES, URLS_AT_MOST
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.targets_csv import PAIRS_AT_MOST, Pair, TargetsReader
from prewarm.urls import Url, redacted
from resolve.sources.budget import Budget
from resolve.sources.decode import HEAD_BYTES, LONGEST_LINE, encoding_of, pieces
from resolve.sources.s3_list import read_object
from resolve.stages import Collected, Targets

FIELD = "targets_s3"
# Reading stops after this many bad lines.
PROBLEMS_AT_MOST = 10_000
OUTSIDE, OTHER_URLS = "their POPs are outside the request's region", "their URLs are not in the request's url_list"


def collect_targets(request: CheckedRequest, settings: Settings, store: Storage, budget: Budget) -> Collected:
    """Return the URLs of a request's pairs, each once, with the POPs that each is asked for at.

    A region or a url_list in the request limits the pairs to it.

    Raises:
        InvalidRequest: the list may not be read, does not exist, is too large, is damaged, leaves no pair, or has no
            pair of a URL in url_list; the message names line and column.

    """
    address = request.fields.targets_s3 or ""
    try:
        body = read_object(address, settings, store, LIST_BYTES, "a list of targets")
        reader = TargetsReader(_lines(pieces(body, LIST_BYTES, budget)))
        taken = _Intake(_pop_filter(request), request.urls)
        taken.take(reader)
    except ValueError as error:
        raise _refused(address, str(error)) from error
    if taken.problems:
        raise InvalidRequest(taken.problems)
    targets = taken.targets(reader)
    if missing := [url for url in request.urls if url.fetch not in targets.masks]:
        problems = [
            Problem("url_list", f"{redacted(url.given)!r} has no pair in {FIELD}; remove it, or add its pairs")
            for url in missing[:PROBLEMS_SHOWN]
        ]
        raise InvalidRequest(problems + [UNLISTED] * (len(missing) - len(problems)))
    report = taken.report(address)
    if not taken.urls:
        why = "; ".join(f"{each.count:,} left out: {each.reason}" for each in report.left_out)
        raise _refused(address, f"contains no pair to warm{f' ({why})' if why else ''}")
    return Collected(list(taken.urls), _warnings(targets), (report,), duplicates=taken.repeated, targets=targets)


class _Asked:
    """A URL that the list names: its POPs as bits, and its host's requests by POP; `left_out`: it is not wanted."""

    __slots__ = ("left_out", "mask", "requests", "url")

    def __init__(self, url: Url, requests: dict[str, int], *, left_out: bool) -> None:
        self.url, self.requests, self.left_out, self.mask = url, requests, left_out, 0


class _Intake:
    """The pairs so far, and `urls` in order of their first pair."""

    def __init__(self, is_wanted: Callable[[str], bool], only: Iterable[Url]) -> None:
        self._is_wanted, self._only = is_wanted, {url.fetch for url in only}
        self.urls: list[Url] = []
        self.problems: list[Problem] = []
        self.repeated = 0
        self.pairs = 0
        # By text as listed, None for one that is not valid; and by fetched form, where that is another text.
        self._asked: dict[str, _Asked | None] = {}
        self._respelled: dict[str, _Asked] = {}
        self._requests: dict[str, dict[str, int]] = {}
        # By POP its bit, in order of the first pairs; 0 for one that is not wanted.
        self._bits: dict[str, int] = {}
        self._places: list[str] = []
        self._left_out: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def take(self, pairs: Iterable[tuple[int, Pair]]) -> None:
        """Take pairs, each with its line; the same one again adds to its requests.

        A million of them pass here, so the loop calls nothing for a pair of known URL and POP.
        """
        asked_of, bit_of = self._asked.get, self._bits.get
        for line, (text, pop, count, _) in pairs:
            asked = asked_of(text) or self._new(line, text)
            if asked is None:
                continue
            if asked.left_out:
                self._leave_out(OTHER_URLS, asked.url, pop)
                continue
            bit = bit_of(pop)
            if bit is None:
                bit = self._bit_of(pop)
            if not bit:
                self._leave_out(OUTSIDE, asked.url, pop)
                continue
            mask, requests = asked.mask, asked.requests
            if not mask:
                self._add_url(asked.url)
            requests[pop] = requests.get(pop, 0) + count
            if mask & bit:
                self.repeated += 1
                continue
            asked.mask = mask | bit
            self.pairs += 1
            if self.pairs > PAIRS_AT_MOST:
                raise ValueError(f"has more than {PAIRS_AT_MOST:,} pairs; lower the share to cover, or split it")

    def _add_url(self, url: Url) -> None:
        self.urls.append(url)
        if len(self.urls) > URLS_AT_MOST:
            raise ValueError(f"has more than {URLS_AT_MOST:,} URLs; raise the demand that a pair needs, or split it")

    def _new(self, line: int, text: str) -> _Asked | None:
        """Return the URL of a text that is new, or None for one that is not valid; each text is parsed once."""
        if text in self._asked:
            self.problems.append(UNLISTED)
            return None
        try:
            url = parse_url(text)
        except ValueError as error:
            self._asked[text] = None
            self._refuse(line, text, str(error))
            return None
        asked = self._respelled.get(url.fetch) or self._asked.get(url.fetch)
        if asked is None:
            left_out = bool(self._only) and url.fetch not in self._only
            asked = _Asked(url, self._requests.setdefault(url.host, {}), left_out=left_out)
            if url.fetch != text:
                self._respelled[url.fetch] = asked
        self._asked[text] = asked
        return asked

    def _bit_of(self, pop: str) -> int:
        """Return a new POP's bit, 0 if it is not wanted."""
        self._bits[pop] = 1 << len(self._places) if self._is_wanted(pop) else 0
        if self._bits[pop]:
            self._places.append(pop)
        return self._bits[pop]

    def _leave_out(self, reason: str, url: Url, pop: str) -> None:
        self._left_out[reason] += 1
        self._examples.setdefault(reason, f"{redacted(url.given)} at {pop}")

    def _refuse(self, line: int, text: str, reason: str) -> None:
        if len(self.problems) >= PROBLEMS_AT_MOST:
            raise ValueError(f"has more than {PROBLEMS_AT_MOST:,} lines with invalid URLs, such as line {line}")
        if len(self.problems) >= PROBLEMS_SHOWN:
            self.problems.append(UNLISTED)
            return
        shown = truncate(redacted(text[: 2 * LONGEST_URL]))
        self.problems.append(Problem(FIELD, f"line {line}, column url: {shown!r} {reason}", near_urls(text)))

    def targets(self, reader: TargetsReader) -> Targets:
        """Return the pairs, after the last one was added."""
        masks = {each.url.fetch: each.mask for each in self._asked.values() if each and each.mask}
        requests = {(host, pop): count for host, pops in self._requests.items() for pop, count in pops.items()}
        return Targets(tuple(self._places), masks, requests, self.pairs, reader.traffic)

    def report(self, address: str) -> SourceReport:
        """Return what was taken and what the request leaves out."""
        left_out = tuple(
            LeftOut(reason, count, (self._examples[reason],), skipped=False)
            for reason, count in self._left_out.most_common()
        )
        return SourceReport(FIELD, redacted(address), len(self.urls), left_out)


def _pop_filter(request: CheckedRequest) -> Callable[[str], bool]:
    """Return which POPs the request's region has: those named, or all in the locations that it selects."""
    fields = request.fields
    if not fields.region or fields.selects_all:
        return lambda _pop: True
    if fields.region_type == "pop":
        return frozenset(request.pops).__contains__
    locations = {location_of(pop) for pop in request.pops} | set(request.places)
    return lambda pop: location_of(pop) in locations


def _warnings(targets: Targets) -> tuple[str, ...]:
    if targets.traffic is not None:
        listed, counted = sum(targets.requests.values()), targets.traffic.requests
        if listed <= counted:
            return ()
        return (
            (
                f"{FIELD} has pairs with {listed:,} requests, but its #traffic line counts {counted:,} in all, so "
                "the share is unknown; correct or remove the line"
            ),
        )
    return (f"{FIELD} has no #traffic line, so the share of all requests that its pairs carry is unknown",)


class _Pieces(io.RawIOBase):
    """A file of bytes that come piece by piece."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._held = source, b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer
        """Fill a part of the buffer; return 0 at the end."""
        # An empty piece is not the end: what follows it may be text, or the end of a gzip that is cut.
        self._held = self._held or next(filter(None, self._source), b"")
        count = min(len(buffer), len(self._held))
        buffer[:count], self._held = self._held[:count], self._held[count:]
        return count


def _lines(source: Iterator[bytes]) -> Iterator[str]:
    """Yield the lines of a text with their ends.

    Raises:
        ValueError: it is not in its encoding, since a replaced character would be another URL, or a line is longer
            than any pair.

    """
    first = next(source, b"")
    raw = io.BufferedReader(_Pieces(chain((first,), source)))
    text = io.TextIOWrapper(raw, encoding=encoding_of(first[:HEAD_BYTES]), errors="strict", newline="")
    number = 0
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) >= LONGEST_LINE:
                raise ValueError(f"line {number} has more than {LONGEST_LINE:,} characters; is it a list of targets?")
            yield line
    except UnicodeDecodeError as error:
        # The text is decoded some lines ahead.
        reason = f"{error.reason}, after line {number}; save it as UTF-8"
        raise ValueError(f"is not text in {error.encoding.upper()}: {reason}") from error


def _refused(address: str, reason: str) -> InvalidRequest:
    return InvalidRequest([Problem(FIELD, f"{truncate(address)!r} {reason}")])
