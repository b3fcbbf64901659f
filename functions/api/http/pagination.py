"""Pagination of a status: which URLs fit into one response, and the token of the next page. Pure."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.results.failure_texts import example_as_json, label, what_happened
from prewarm.results.failures import Example, by_status
from prewarm.results.next_steps import main_kind, step_of
from prewarm.results.warm_counts import ENTRY_BYTES

# Lambda's response may have 6 MB (Lambda quotas, "Invocation payload"), in which the body is escaped as JSON text.
MAX_RESPONSE_BYTES = 5_500_000
# Digits of a `limit`: no run has a billion URLs.
LIMIT = re.compile(r"\d{1,9}", re.ASCII)
# Text that JSON does not escape, and the bytes of the quotes around it, each escaped and between two more.
PLAIN_TEXT, QUOTES_BYTES = re.compile(r"[ !#-\[\]-~]*"), 6
PAGE_START = "from"
# A status's own token has 20 characters at most. Step Functions' token of ListExecutions has up to 1,024 (API
# Reference, ListExecutions, "nextToken").
MAX_PAGE_TOKEN = 64
MAX_LIST_TOKEN = 1_024


@dataclass(frozen=True, slots=True)
class Page:
    """The requested part of a run's URLs.

    `start` is the first index, `limit` the maximum number, None for all that fit.
    """

    start: int = 0
    limit: int | None = None


@dataclass(slots=True)
class UrlStatus:
    """One URL in a status: its verdict, and the reasons and coverage of a failure.

    `coverage` is the percentage of reachable targets that are warm; `fetched` the form in which the URL is fetched,
    empty where it is the given one; `kinds` has a failure's counts by kind, None in summaries of earlier versions;
    `variants` is the run's number of variants, 0 if unknown; `everywhere`: whether the URL failed at all of its POPs;
    `counts` how many targets of a warm URL are warm, and how many are reachable, None if unknown;
    `failing`: whether the URL, in progress, cannot become warm any more. For the cost of frozen ones see UrlResult.
    """

    url: str
    verdict: str
    reasons: dict[str, int] | None = None
    coverage: float = 0.0
    fetched: str = ""
    kinds: Mapping[str, int] | None = None
    example: Example | None = None
    variants: int = 0
    everywhere: bool = False
    counts: tuple[int, int] | None = None
    failing: bool = False

    def failure(self) -> dict[str, Any]:
        """Return the failed URL as JSON."""
        kinds = self.known_kinds()
        main = main_kind(kinds)
        return {
            "url": self.url,
            "reasons": self.reasons or {},
            "coverage": round(self.coverage, 2),
            "everywhere": self.everywhere,
            "statuses": by_status(kinds) if self.kinds is not None else {},
            "example": example_as_json(self.example),
            "what": what_happened(kinds, self.example, variants=self.variants, everywhere=self.everywhere),
            "mainFailure": label(main) if main else None,
            "nextStep": step_of(main) if main else None,
        }

    def known_kinds(self) -> Mapping[str, int]:
        """Return a failure's counts by kind, or by outcome where its summary has no kinds."""
        if self.kinds is not None:
            return self.kinds
        return self.reasons or {}

    def max_bytes(self) -> int:
        """Return the most bytes that the URL takes in a response."""
        forms = escaped_bytes({self.url: self.fetched}) if self.fetched else 0
        counts = ENTRY_BYTES if self.counts else 0
        return escaped_bytes(self.url) + (escaped_bytes(self.failure()) if self.reasons else 0) + forms + counts + 2


def escaped_bytes(value: object) -> int:
    """Return the size of a JSON value in a body that is escaped as JSON text."""
    if isinstance(value, str) and PLAIN_TEXT.fullmatch(value):
        # Most URLs: only the quotes around it are escaped, and quoted again.
        return len(value) + QUOTES_BYTES
    return len(json.dumps(json.dumps(value)))


def paginate(urls: Sequence[UrlStatus], page: Page, max_bytes: int) -> tuple[list[UrlStatus], str | None]:
    """Return one page of URLs and the next page's token, None after the last.

    The page has as many URLs as fit into `max_bytes` and the page's limit, but at least one.
    """
    selected: list[UrlStatus] = []
    size = 0
    for index in range(page.start, len(urls)):
        size += urls[index].max_bytes()
        if selected and (size > max_bytes or len(selected) == page.limit):
            return selected, page_token(index)
        selected.append(urls[index])
    return selected, None


def page_token(index: int) -> str:
    """Return the token of the page that starts at an index."""
    return base64.urlsafe_b64encode(f"{PAGE_START} {index}".encode()).decode().rstrip("=")


def limit_problems(limit: str | None, most: int | None = None) -> list[Problem]:
    """Return the problems of a `limit` parameter; an omitted one is valid.

    `most`: the highest valid limit, None for no maximum.
    """
    if limit is None or (LIMIT.fullmatch(limit) and 1 <= int(limit) <= (most or int(limit))):
        return []
    valid = f"from 1 to {most}" if most else "of at least 1"
    return [Problem("limit", f"must be a whole number {valid}, got {truncate(limit)!r}")]


def invalid_token() -> Problem:
    """Return the problem of a `nextToken` that is invalid or expired."""
    return Problem("nextToken", "invalid or expired; omit it to start from the first page")


def parse_page(limit: str | None, token: str | None) -> Page:
    """Parse the parameters `limit` and `nextToken`.

    Raises:
        InvalidRequest: the limit is not a number, or the service did not issue the token.

    """
    problems = limit_problems(limit)
    start = _start_of(token)
    if problems or start is None:
        raise InvalidRequest(problems if start is not None else [*problems, invalid_token()])
    return Page(start, None if limit is None else int(limit))


def _start_of(token: str | None) -> int | None:
    """Return the index at which a token's page starts; None for an invalid token."""
    if token is None:
        return 0
    if len(token) > MAX_PAGE_TOKEN:
        return None
    try:
        prefix, _, number = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
        return int(number) if prefix == PAGE_START and number.isascii() and number.isdigit() else None
    except ValueError:
        return None
