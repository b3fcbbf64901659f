"""Read a response's header lines as libcurl passes them on: raw bytes of any server. Pure.

Whatever the bytes are, reading them raises no error and keeps a bounded text per header: an odd response fails only
its own target, never the batch.

Edges repeat most of their lines from response to response, so parsed lines are cached. `header_fields` reads usual
responses from that cache, without a loop in Python; `read_header_lines` reads all others, by the same rules.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat

# How much of a value is kept. A longer one is cut off and marked, so that it equals no valid value; the values that
# are recorded for every target and compared as a whole are short.
LONGEST_VALUE = 1024
CUT = "…"
# The headers that are classified or recorded; the attribute of `Response` that receives each.
_ATTRIBUTES = {
    b"x-cache": "x_cache",
    b"x-amz-cf-pop": "cf_pop",
    b"x-amz-cf-id": "cf_id",
    b"age": "age",
    b"etag": "etag",
    b"server": "server",
    b"content-length": "content_length",
    b"content-type": "content_type",
    b"location": "location",
    b"content-encoding": "encoding",
    b"cache-control": "cache_control",
    b"server-timing": "server_timing",
    b"x-amzn-waf-action": "waf_action",
    b"vary": "vary",
    b"expires": "expires",
    b"date": "date",
}
# CloudFront's own value of X-Cache ends so; a cache in front of the origin may add values of its own.
OWN_CACHE = " from cloudfront"
# From the results that are not a copy (rank 0) to the one that proves most.
RANKS = {"miss": 1, "refreshhit": 2, "hit": 3}

NAMES = tuple(_ATTRIBUTES.values())
# The cached lines: at most this many, none longer than this many bytes, and no X-Amz-Cf-Id, which differs each time.
MOST_LINES, LONGEST_LINE = 4_096, 256
_STATUS_LINE, _END = b"HTTP/", b""


class _Lines(dict[bytes, tuple[str | bytes, str]]):
    """The meaning of each line: the attribute and its text, or a key that no other kind of line has."""

    def __missing__(self, line: bytes) -> tuple[str | bytes, str]:
        """Read a line, and cache its meaning."""
        name, _, value = line.partition(b":")
        attribute = _ATTRIBUTES.get(name.lower())
        said: tuple[str | bytes, str]
        if attribute is not None:
            text = _text(value)
            said = (attribute, _own_cache(text) if attribute == "x_cache" and "," in text else text)
        elif line.startswith(_STATUS_LINE):
            said = (_STATUS_LINE, "")
        else:
            said = (line if name.strip() else _END, "")
        if len(line) <= LONGEST_LINE and attribute != "cf_id":
            if len(self) >= MOST_LINES:
                self.clear()
            self[line] = said
        return said


_lines = _Lines()


def header_fields(lines: Sequence[bytes]) -> tuple[str, ...]:
    """Return the values of the final response's headers in the order of NAMES; absent ones are empty.

    They are those of `read_header_lines`.
    """
    found = dict(map(_lines.__getitem__, lines))
    # One status line at the beginning, one blank line at the end, and no header twice: nothing is left to decide.
    if len(found) != len(lines) or not lines or lines[-1] != b"\r\n" or not lines[0].startswith(_STATUS_LINE):
        return tuple(map(read_header_lines(lines).get, NAMES, repeat("")))
    if "expires" not in found:
        found.pop("date", None)
    return tuple(map(found.get, NAMES, repeat("")))


def _text(value: bytes) -> str:
    """Return a header's value, cut off where it is too long."""
    text = value.strip().decode("latin-1")
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + CUT


def read_header_lines(lines: Iterable[bytes]) -> dict[str, str]:
    """Return the values of the final response's headers by attribute of `Response`; absent ones are left out.

    `lines` begin with a status line. Header blocks of 1xx responses precede the final response's (RFC 9110, 15.2) and
    trailers follow its body (6.5); neither counts. Values of a repeated header are joined by commas (5.3), except
    those of X-Cache, of which CloudFront's own counts.
    """
    values: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    in_block = True
    for line in lines:
        name, _, value = line.partition(b":")
        attribute = _ATTRIBUTES.get(name.lower())
        if attribute is None:
            if line.startswith(_STATUS_LINE):
                values, repeated, in_block = {}, {}, True
            elif not name.strip():
                in_block = False
        elif in_block:
            text = _text(value)
            if values.setdefault(attribute, text) is not text:
                repeated.setdefault(attribute, [values[attribute]]).append(text)
    for attribute, texts in repeated.items():
        joined = ", ".join(dict.fromkeys(texts))
        values[attribute] = joined if len(joined) <= LONGEST_VALUE else joined[:LONGEST_VALUE] + CUT
    if "," in values.get("x_cache", ""):
        values["x_cache"] = _own_cache(values["x_cache"])
    # Many responses are held until a verification ends, and Date matters to Expires only.
    return values if "expires" in values else {name: text for name, text in values.items() if name != "date"}


def _own_cache(text: str) -> str:
    """Return CloudFront's own one of several values of X-Cache, or the last one if none is its own.

    A text that is cut off is not a result, because the value that proves less may be missing. If several are its own,
    the one that proves least counts: the origin may be a CloudFront distribution too, and a target that is warm there
    need not be warm at the edge.
    """
    if text.endswith(CUT):
        return text
    listed = [value.strip() for value in text.split(",")]
    own = [value for value in listed if value.lower().endswith(OWN_CACHE)]
    return min(own, key=lambda value: RANKS.get(value.lower().removesuffix(OWN_CACHE), 0)) if own else listed[-1]
