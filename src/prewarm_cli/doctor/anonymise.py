"""Replace what identifies a user in a text: accounts, hosts, addresses, keys, names in ARNs. Pure.

The same value always gets the same placeholder, so that a reader sees which lines concern the same thing.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What a value ends before, in texts.
BREAK = r"\s\"'`<>(),;|\\"
# The form of each kind of identifier, tried in this order; what is inside an earlier one is not looked at again.
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("arn", re.compile(rf"\barn:[^{BREAK}]+")),
    ("url", re.compile(rf"\b[a-z][a-z0-9+]*://[^{BREAK}]+", re.IGNORECASE)),
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")),
    ("key", re.compile(r"\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{8,}\b")),
    ("run", re.compile(r"\b\d{8}T\d{6}Z-[0-9A-Za-z]+")),
    ("account", re.compile(r"(?<![\w.])\d{12}(?![\w.]*\d)|\b\d{4}-\d{4}-\d{4}\b")),
    ("address", re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+|/\d+)?(?![\w.]*\w)")),
    ("address", re.compile(r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,}(?:/\d+)?(?!\w)", re.IGNORECASE)),
    ("host", re.compile(r"(?<![\w.-])(?:[\w-]+\.)+[^\W\d_][\w-]*\.?(?![\w-])")),
    ("id", re.compile(r"(?<![\w-])E[A-Z0-9]{11,14}(?![\w-])|\b[dD][tT]_\w+")),
    # Physical names of a stack's resources: STACK-LOGICALID-RANDOM.
    (
        "name",
        re.compile(r"(?<![\w/-])[\w-]+-(?:runsbucket|ledgertable|\w+function|functionlogs)[\w-]*", re.IGNORECASE),
    ),
    # Long random words: keys, tokens, ids of requests. Words of a text are shorter, or have no digits.
    ("token", re.compile(r"(?<![\w-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{20,}")),
)
# Names that identify no one: the service's own pages, CloudFront's zone, files that this project names.
PUBLIC = re.compile(r"docs/[\w-]+\.md|cloudfront\.net|(?:Prewarm|Lambda|States)\.[A-Z]\w+")
PUBLIC_URLS = ("https://git.example.com/cloudfront-prewarm/",)
# Shorter known values, such as a path of `/`, would be replaced inside of words.
SHORTEST_KNOWN = 4


class Anonymiser:
    """Replaces identifiers in texts; `known` are values of the caller's own, each with its kind."""

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        values = {value.lower(): kind for kind, value in known if len(value) >= SHORTEST_KNOWN}
        longest_first = sorted(values, key=len, reverse=True)
        self._kinds = values
        self._known = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if values else None

    def text(self, text: str) -> str:
        """Return a text with a placeholder such as `host-1` for each identifier."""
        kept: list[str] = []

        def keep(replacement: str) -> str:
            # Marked by characters that no other pattern takes for a part of a name.
            kept.append(replacement)
            return f"\x00{len(kept) - 1}\x01"

        def public(match: re.Match[str]) -> str:
            return keep(match[0])

        text = text.replace("\x00", " ").replace("\x01", " ")
        for prefix in PUBLIC_URLS:
            text = re.sub(re.escape(prefix) + r"[\w./#-]*", public, text)
        if self._known is not None:
            text = self._known.sub(lambda match: keep(self._name(self._kinds[match[0].lower()], match[0])), text)
        text = PUBLIC.sub(lambda match: public(match) if _stands_alone(match) else match[0], text)
        for kind, pattern in PATTERNS:
            text = pattern.sub(self._replacing(kind, keep), text)
        while "\x00" in text:
            text = re.sub("\x00(\\d+)\x01", lambda match: kept[int(match[1])], text)
        return text

    def document(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Return a JSON document whose texts, and texts only, are replaced."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self.document(each) for name, each in value.items()}
        return [self.document(each) for each in value] if isinstance(value, list) else value

    def _replacing(self, kind: str, keep: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
        def replaced(match: re.Match[str]) -> str:
            value = match[0]
            if kind == "address" and not _is_address(value):
                return value
            # A sentence's full stop is not a part of the name.
            end = value[len(value.rstrip(".:")) :]
            return keep(self._name(kind, value.removesuffix(end) if end else value)) + end

        return replaced

    def _name(self, kind: str, value: str) -> str:
        key = (kind, value.lower())
        if key not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[key] = f"{kind}-{self._counts[kind]}"
        return self._names[key]


def _stands_alone(match: re.Match[str]) -> bool:
    """Return whether a public name is the whole name, not the end of another, such as d111.cloudfront.net."""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    return not re.match(r"[\w./-]", before) and not re.match(r"[\w/-]", after)


def _is_address(text: str) -> bool:
    """Return whether a text is an IP address, with a port, a prefix length or a sentence's colon if it has one.

    Times such as 12:34:56 are not; `::` alone stands in source code.
    """
    bare = text.partition("/")[0].rstrip(".")
    forms = {bare, bare.removesuffix(":"), bare.partition(":")[0]} - {"::"}
    return any(map(_parses, forms))


def _parses(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
