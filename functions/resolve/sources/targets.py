"""Targets in S3: pairs of URL and POP with their demand, optionally gzip; prewarm.targets_csv has the format.

The list is read piece by piece: what stays in memory grows with its URLs, not with its bytes.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from prewarm.catalogue import location_of
from prewarm.errors import PROBLEMS_SHOWN, UNLISTED, InvalidRequest, Problem, truncate
from prewarm.planning.source_report import LeftOut, SourceReport
from prewarm.request.model import CheckedRequest
from prewarm.request.url_parser import LONGEST_URL, near_urls, parse_url
from prewarm.request.url_sources import LIST_BYTES, URLS_AT_MOST
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.targets_csv import PAIRS_AT_MOST
from prewarm.targets_reader import Rows, TargetsReader
from prewarm.urls import Url, redacted
from resolve.sources.budget import Budget
from resolve.sources.decode import LONGEST_LINE, pieces, strict_text_pieces
from resolve.sources.s3_list import read_object
from resolve.stages import Collected, Targets

FIELD = "targets_s3"
# Reading stops after this many bad lines.
PROBLEMS_AT_MOST = 10_000
# In place of the number of a URL.
NOT_VALID, NOT_WANTED = -1, -2
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
        reader = TargetsReader(strict_text_pieces(pieces(body, LIST_BYTES, budget)), longest_line=LONGEST_LINE)
        taken = _Intake(_pop_filter(request), request.urls)
        for rows in reader.rows():
            taken.take(rows)
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


class _Intake:
    """The pairs so far, and `urls` in order of their first pair.

    Each URL has a number: the place of its POPs in `_masks`, as bits, and of its host's requests in `_requests`.
    """

    def __init__(self, is_wanted: Callable[[str], bool], only: Iterable[Url]) -> None:
        self._is_wanted, self._only = is_wanted, {url.fetch for url in only}
        self.urls: list[Url] = []
        self.problems: list[Problem] = []
        self.repeated = 0
        self.pairs = 0
        # By text as listed, or NOT_VALID, or NOT_WANTED; and by fetched form, where that is another text.
        self._numbers: dict[str, int] = {}
        self._respelled: dict[str, int] = {}
        self._listed: list[Url] = []
        self._masks: list[int] = []
        self._requests: list[dict[str, int]] = []
        self._of_host: dict[str, dict[str, int]] = {}
        # By POP its bit, in order of the first pairs; 0 for one that is not wanted.
        self._bits: dict[str, int] = {}
        self._places: list[str] = []
        self._left_out: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def take(self, rows: Rows) -> None:
        """Take pairs; the same one again adds to its requests.

        A million of them pass here, so the loop calls nothing for a pair of known URL and POP but what looks them up.
        """
        number_of, bit_of, masks, requests_of = self._numbers.get, self._bits.get, self._masks, self._requests
        pairs, most = self.pairs, PAIRS_AT_MOST
        for line, text, pop, count in zip(rows.lines, rows.urls, rows.pops, rows.requests, strict=True):
            number, bit = number_of(text), bit_of(pop)
            if number is None:
                number = self._new(line, text, pop)
            elif number == NOT_VALID:
                self.problems.append(UNLISTED)
            if number < 0:
                self._count_unwanted(number)
                continue
            if bit is None:
                bit = self._bit_of(pop)
            if not bit:
                self._left_out[OUTSIDE] += 1
                self._keep_example(OUTSIDE, self._listed[number], pop)
                continue
            mask, requests = masks[number], requests_of[number]
            if not mask:
                self._add_url(self._listed[number])
            requests[pop] = requests.get(pop, 0) + count
            both = mask | bit
            if both == mask:
                self.repeated += 1
                continue
            masks[number] = both
            pairs += 1
            if pairs > most:
                raise ValueError(f"has more than {most:,} pairs; lower the share to cover, or split it")
        self.pairs = pairs

    def _count_unwanted(self, number: int) -> None:
        """Count a pair whose URL is not in the request's url_list; those of invalid URLs are problems."""
        if number == NOT_WANTED:
            self._left_out[OTHER_URLS] += 1

    def _add_url(self, url: Url) -> None:
        self.urls.append(url)
        if len(self.urls) > URLS_AT_MOST:
            raise ValueError(f"has more than {URLS_AT_MOST:,} URLs; raise the demand that a pair needs, or split it")

    def _new(self, line: int, text: str, pop: str) -> int:
        """Return the number of a text that is new; each text is parsed once. `pop`: its first pair's."""
        try:
            url = parse_url(text)
        except ValueError as error:
            self._numbers[text] = NOT_VALID
            self._refuse(line, text, str(error))
            return NOT_VALID
        fetch, number = url.fetch, None
        if fetch != text:
            number = self._respelled.get(fetch, self._numbers.get(fetch))
        elif self._respelled:
            number = self._respelled.get(fetch)
        if number is None or number == NOT_VALID:
            if self._only and fetch not in self._only:
                self._keep_example(OTHER_URLS, url, pop)
                number = NOT_WANTED
            else:
                number = len(self._masks)
                self._listed.append(url)
                self._masks.append(0)
                self._requests.append(self._of_host.setdefault(url.host, {}))
            if fetch != text:
                self._respelled[fetch] = number
        self._numbers[text] = number
        return number

    def _bit_of(self, pop: str) -> int:
        """Return a new POP's bit, 0 if it is not wanted."""
        self._bits[pop] = 1 << len(self._places) if self._is_wanted(pop) else 0
        if self._bits[pop]:
            self._places.append(pop)
        return self._bits[pop]

    def _keep_example(self, reason: str, url: Url, pop: str) -> None:
        if reason not in self._examples:
            self._examples[reason] = f"{redacted(url.given)} at {pop}"

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
        masks = {url.fetch: mask for url, mask in zip(self._listed, self._masks, strict=True) if mask}
        requests = {(host, pop): count for host, pops in self._of_host.items() for pop, count in pops.items()}
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


def _refused(address: str, reason: str) -> InvalidRequest:
    return InvalidRequest([Problem(FIELD, f"{truncate(address)!r} {reason}")])
