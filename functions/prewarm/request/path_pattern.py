"""Patterns for path and query string, such as `/köln/*`: they match the readable and the encoded form. Pure.

The resolver (cache behaviours, sitemaps) and `prewarm traffic` use them.
"""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from prewarm.errors import truncate
from prewarm.urls import Url

# The beginning of an address in place of a path pattern. A host without a scheme may be a folder's name, unless it
# begins with www.
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/+|(?=www\.)", re.IGNORECASE)


def path_expression(pattern: str) -> re.Pattern[str]:
    """Return a path pattern as a regular expression over whole paths.

    `*` is any run of characters and `?` any one; patterns are case-sensitive, may omit the first slash, and ignore
    the query (Developer Guide, "Path pattern"). A match takes time linear in the path: the leftmost place of each
    part between two `*` is as good as any, so the groups are atomic and nothing is tried twice.
    """
    if pattern == "*":
        return re.compile(".*", re.DOTALL)
    parts = ["".join("." if sign == "?" else re.escape(sign) for sign in part) for part in pattern.split("*")]
    first, *others = parts
    first = "/" + first.removeprefix("/")
    if not others:
        return re.compile(first, re.DOTALL)
    between = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL)


class PathPattern:
    """A pattern as in a cache behaviour (`*`: any characters, `?`: one), matched in time linear in the path."""

    def __init__(self, pattern: str) -> None:
        self._encoded = path_expression(pattern)
        self._readable = path_expression(_readable(pattern, keep="*?"))

    def matches(self, url: Url) -> bool:
        """Return whether the URL's path and query match, as they are sent or as they are read."""
        path = "/" + url.fetch.split("/", 3)[3]
        return bool(self._encoded.fullmatch(path) or self._readable.fullmatch(_readable(path)))


def _readable(text: str, keep: str = "") -> str:
    """Return a path with its `%xx` decoded where they are UTF-8, in composed characters (NFC).

    `keep`: characters whose encoded form stays encoded, because they have a meaning in a pattern.
    """
    if "%" in text:
        for sign in keep:
            code = f"%{ord(sign):02x}"
            text = text.replace(code, f"%25{code[1:]}").replace(code.upper(), f"%25{code[1:]}")
        try:
            text = unquote_to_bytes(text).decode()
        except UnicodeDecodeError:
            return text
    return unicodedata.normalize("NFC", text)


def check_pattern(text: str) -> str:
    """Return a pattern as it is given.

    Raises:
        ValueError: no path can match it, so that nothing would be included, or what should be excluded is warmed.

    """
    if text != text.strip():
        raise ValueError("has a space at its beginning or end, which no path has; remove it")
    if (address := ADDRESS.match(text)) is not None:
        path = "/" + text[address.end() :].partition("/")[2]
        raise ValueError(f"has a host, which is not compared; write the path only, such as {truncate(path)}")
    return text
