"""Read a response's Cache-Control: its directives, and the lifetime that the origin gives. Pure.

Sources: RFC 9111, 5.2 (grammar) and 4.2.1 (repeated directives); CloudFront Developer Guide, "Manage how long content
stays in the cache (expiration)" for which of them CloudFront reads.
"""

import functools
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from prewarm.http_date import epoch_seconds

FORBIDDING = frozenset({"no-store", "no-cache", "private"})
# The longest lifetime that CloudFront supports is 100 years.
MOST_SECONDS = 100 * 366 * 86_400
_NAME = r"[!#$%&'*+.^_`|~\w-]+"
_DIRECTIVE = re.compile(rf"({_NAME})(?:\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^\s\",]*))?", re.ASCII)
_ELEMENT = rf"{_NAME}(?:=(?:{_NAME}|\"(?:[^\"\\]|\\.)*+\"))?"
_WELL_FORMED = re.compile(rf"[ \t,]*+(?:{_ELEMENT}[ \t]*+(?:,[ \t,]*+|\Z))*+", re.ASCII)


@dataclass(frozen=True, slots=True)
class CacheControl:
    """The directives of a Cache-Control, in lower case, each with its values as sent.

    `well_formed`: the header follows the grammar; if it does not, everything that looks like a directive is listed.
    """

    values: Mapping[str, tuple[str, ...]]
    well_formed: bool

    @property
    def forbids(self) -> bool:
        """Return whether a directive forbids a copy, or its use without asking the origin."""
        return not FORBIDDING.isdisjoint(self.values)

    def seconds(self, name: str) -> float | None:
        """Return the seconds of a directive, None if it has no number; more than MOST_SECONDS count as that."""
        text = self.values.get(name, ("",))[-1].strip('"')
        return float(min(int(text), MOST_SECONDS)) if _is_number(text) else None

    def surely_positive(self, name: str) -> bool:
        """Return whether each value of a directive is a plain number above 0.

        What CloudFront does with a quoted, signed or repeated one is not documented.
        """
        values = self.values.get(name, ())
        return bool(values) and all(_is_number(text) and text.strip("0") for text in values)

    def surely_numbers(self, name: str) -> bool:
        """Return whether each value of a directive, if there is one, is a plain number."""
        return all(map(_is_number, self.values.get(name, ())))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


@functools.lru_cache(maxsize=1024)
def cache_control(header: str) -> CacheControl:
    """Return a Cache-Control header's directives."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in _DIRECTIVE.findall(header):
        values[name.lower()] = (*values.get(name.lower(), ()), value)
    return CacheControl(values, _WELL_FORMED.fullmatch(header) is not None)


def origins_lifetime(control: CacheControl, expires: str, date: str) -> float | None:
    """Return for how many seconds the origin allows a response to be kept, whatever else the directives say.

    That is s-maxage, else max-age, else Expires; None without any (Developer Guide, as above).
    """
    lifetime = control.seconds("s-maxage")
    if lifetime is None:
        lifetime = control.seconds("max-age")
    if lifetime is None and expires:
        lifetime = seconds_until(expires, date)
    return lifetime


def seconds_until(expires: str, date: str) -> float:
    """Return the seconds from Date, or from now without it, to Expires; 0 if that is not a date (RFC 9111, 5.3)."""
    end = epoch_seconds(expires)
    begin = epoch_seconds(date)
    return 0.0 if end is None else min(max(0.0, end - (time.time() if begin is None else begin)), MOST_SECONDS)
