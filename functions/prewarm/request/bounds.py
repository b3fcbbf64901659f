"""Limits of a request's parts, checked before anything else looks at them. Pure.

A body may have 4 MB, which is room for a million numbers, names or nested objects. Each list, object, string and
number is measured here first; what is too large is a problem of its field, and nothing reads it further. So that
time and memory stay bounded, problems are counted, and only those that an error lists are made.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from prewarm.errors import PROBLEMS_SHOWN, UNLISTED, Problem, truncate
from prewarm.request.headers import MAX_HEADERS
from prewarm.request.pop_selection import MAX_NAMES

# The largest body, below API Gateway's limit of 10 MB and Lambda's of 6 MB, which includes the event around the
# escaped body.
MAX_BODY_BYTES = 4 * 1024 * 1024
# Most URLs in `url_list` of a body; longer lists are stored in S3 and read from there. Twice as many would take more
# than a second of CPU if each needed the whole parser (tests/support/measured_check.py).
MAX_BODY_URLS = 50_000
# The longest text outside `url_list`, whose URLs have their own limit: an S3 address, a document's URL, a header.
MAX_CHARACTERS = 20_480
# Numbers beyond 64 bits; no field accepts nearly as much.
MAX_NUMBER = 2**63 - 1
MAX_BITS_SHOWN = 128
# The fields that take a number; a test compares them with the models.
NUMBERS = frozenset(
    {"timeout_minutes", "max_concurrency", "max_rps", "min_warm_percent", "max_bytes", "max_segments"}
)
# Entries of any list but the two long ones (the model's own limits are lower or equal), and names in any object but
# the headers: a source has at most four.
MAX_ENTRIES = 100
MAX_MEMBERS = 16
LONG_LISTS = {"url_list": MAX_BODY_URLS, "region": MAX_NAMES}


def size_problems(document: Mapping[str, Any], *, most_urls: int = MAX_BODY_URLS) -> dict[str, list[Problem]]:
    """Return the fields of a request that are too large, or lists of texts with other entries, and their problems.

    `most_urls`: the most entries of `url_list`.
    """
    found = {}
    for field, value in document.items():
        most = most_urls if field == "url_list" else LONG_LISTS.get(field)
        problems = _counted(_problems(field, value)) if most is None else _text_list(field, value, most)
        if problems:
            found[field] = problems
    return found


def _counted(problems: Iterator[Problem]) -> list[Problem]:
    """Return the first problems, and a placeholder for each other."""
    return [*itertools.islice(problems, PROBLEMS_SHOWN), *(UNLISTED for _ in problems)]


def text_problems(document: Any) -> list[Problem]:  # noqa: ANN401 - any JSON value
    """Return the problem of a document with a lone surrogate, or with more nesting than can be read.

    Half of a UTF-16 pair cannot be part of a header, a URL or a response.
    """
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        field = next(_surrogate_fields(document), "")
        return [Problem(field, f"contains the lone surrogate {half}, which is not a character; remove it")]
    except RecursionError:
        return [Problem("", "the request is nested too deeply")]
    except ValueError:
        return []  # a number with too many digits to be written, which size_problems finds
    return []


def _surrogate_fields(document: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Yield the top-level fields whose names or values contain a lone surrogate."""
    for name, value in document.items() if isinstance(document, dict) else ():
        try:
            json.dumps([name, value], ensure_ascii=False).encode()
        except UnicodeEncodeError:
            yield truncate(name)


def _number(value: float) -> str:
    """Return a number for display; one with hundreds of digits by their number, which Python may refuse to write."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS_SHOWN:
        return f"one with about {int(value.bit_length() * 0.30103) + 1} digits"
    return str(value)


def _text_list(field: str, value: object, most: int) -> list[Problem]:
    """Return the problems of a list of texts: its length, or its entries of another type."""
    if isinstance(value, str):
        return list(_problems(field, value))
    if not isinstance(value, list):
        return []
    if len(value) > most:
        fix = "; upload the list (POST /uploads) and pass its address as url_list_s3" if field == "url_list" else ""
        return [Problem(field, f"has {len(value):,} entries; at most {most:,} are accepted{fix}")]
    others = [index for index, entry in enumerate(value) if type(entry) is not str]
    shown = [_not_a_text(field, index, value[index]) for index in others[:PROBLEMS_SHOWN]]
    return shown + [UNLISTED] * (len(others) - len(shown))


def _not_a_text(field: str, index: int, entry: Any) -> Problem:  # noqa: ANN401 - any JSON value
    if isinstance(entry, dict | list):
        got = "an object" if isinstance(entry, dict) else "a list"
    else:
        got = "null" if entry is None else _number(entry) if type(entry) in {int, float} else json.dumps(entry)
    return Problem(f"{field}[{index}]", f"must be a string, got {got}")


def _problems(field: str, value: object) -> Iterator[Problem]:
    """Yield a problem for each part of a field's value that is too large; its parts are then not read."""
    if isinstance(value, str) and len(value) > MAX_CHARACTERS:
        yield Problem(field, f"has {len(value):,} characters; at most {MAX_CHARACTERS:,} are accepted")
    elif isinstance(value, int | float) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        is_number = field.rpartition(".")[2] in NUMBERS
        rule = f"must be a number of at most {MAX_NUMBER}" if is_number else "must not be a number"
        yield Problem(field, f"{rule}, got {_number(value)}")
    elif isinstance(value, dict | list):
        entries, most = ("entries", MAX_ENTRIES) if isinstance(value, list) else ("names", MAX_MEMBERS)
        most = MAX_HEADERS if field == "headers" else most
        if len(value) > most:
            yield Problem(field, f"has {len(value):,} {entries}; at most {most} are accepted")
            return
        for part, entry in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{field}[{part}]" if isinstance(part, int) else f"{field}.{truncate(part)}"
            # Deeper parts than a source's patterns are of no field; their types are refused unread.
            if field.count("[") + field.count(".") < 3:  # noqa: PLR2004 - sitemap[0].include[0]
                yield from _problems(inner, entry)
