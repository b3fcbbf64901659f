"""A cache behaviour: what belongs to the cache key, how long copies live, and how the origin is asked. Pure.

Sources: CloudFront Developer Guide, "Control the cache key with a policy", "Understand the cache key", "Control
origin requests" and "All distribution settings reference".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prewarm_local.edge.cache import Key, normalise_encoding
from prewarm_local.edge.freshness import Ttl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prewarm_local.edge.request import Request


@dataclass(frozen=True)
class Selection:
    """Names that belong to the cache key: all, none, only some, or all except some."""

    kind: str = "none"
    names: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Return whether a name belongs to the key."""
        match self.kind:
            case "all":
                return True
            case "whitelist":
                return name in self.names
            case "allExcept":
                return name not in self.names
        return False


NOTHING = Selection()
# Headers that no policy forwards as the viewer sent them: those of the connection and of conditional requests, which
# the edge makes itself; Host, which is the distribution's here; Accept-Encoding, which is normalised; and Cookie, of
# which the policies choose cookies. ("HTTP request headers and CloudFront behavior (custom and Amazon S3 origins)".)
NEVER_FORWARDED = frozenset({
    "accept-encoding", "connection", "content-length", "cookie", "expect", "host", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "keep-alive", "proxy-connection", "range", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip


@dataclass(frozen=True)
class OriginSettings:
    """How the origin is asked: seconds without data, attempts of a request, seconds for a connection.

    `failover_on`: the statuses on which an origin group asks its second origin; None: no origin group.
    """

    response_timeout: float = 30
    attempts: int = 1
    connection_timeout: float = 10
    failover_on: frozenset[int] | None = None


@dataclass(frozen=True)
class Behaviour:
    """A cache behaviour.

    `pages`: custom error pages by the origin's status, each the page's path and the status sent with it; `of_path`
    finds the behaviour of such a path, None if this is the only one. `to_origin`: the query strings, headers and
    cookies of its origin request policy, which the origin receives although they are not in the key.
    `dynamic`: requests that bypass the regional edge caches.
    """

    ttl: Ttl = field(default_factory=Ttl)
    queries: Selection = field(default_factory=lambda: Selection("all"))
    headers: Selection = field(default_factory=Selection)
    cookies: Selection = field(default_factory=Selection)
    encodings: frozenset[str] = frozenset({"br", "gzip"})
    compress: bool = False
    dynamic: bool = False
    origin: OriginSettings = field(default_factory=OriginSettings)
    pages: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    of_path: Callable[[str], Behaviour] | None = field(default=None, compare=False)
    to_origin: tuple[Selection, Selection, Selection] = (NOTHING, NOTHING, NOTHING)

    def want(self, domain: str, request: Request, *, separate: bool) -> Want:
        """Return what the request asks for; `separate`: a HEAD is asked as such, and its copy has its own key."""
        target = _target(request.target, self.queries, NOTHING)
        encoding = normalise_encoding(request.headers.get("accept-encoding", ""))
        if encoding and len(self.encodings) < 2:  # noqa: PLR2004
            encoding = ",".join(coding for coding in encoding.split(",") if coding in self.encodings)
        forwarded = _forwarded(request, self.headers, self.cookies)
        rest = encoding + "".join(f"\n{name}: {value}" for name, value in forwarded)
        get_key = (domain, target, rest)
        if self.to_origin != (NOTHING, NOTHING, NOTHING):
            queries, headers, cookies = self.to_origin
            target = _target(request.target, self.queries, queries)
            forwarded = _forwarded(request, self.headers, self.cookies, headers, cookies)
        if separate:
            return Want((domain, get_key[1], f"HEAD {rest}"), get_key, "HEAD", encoding, self, forwarded, target)
        return Want(get_key, get_key, "GET", encoding, self, forwarded, target)


def _target(target: str, key: Selection, more: Selection) -> str:
    """Return a target with the query strings that are in the key, or that an origin request policy adds."""
    if "all" in (key.kind, more.kind):
        return target
    path, _, query = target.partition("?")
    names = ((part, part.partition("=")[0]) for part in query.split("&") if part)
    kept = "&".join(part for part, name in names if key.has(name) or more.has(name))
    return f"{path}?{kept}" if kept else path


def _forwarded(
    request: Request,
    headers: Selection,
    cookies: Selection,
    more: Selection = NOTHING,
    more_cookies: Selection = NOTHING,
) -> list[tuple[str, str]]:
    """Return the viewer's headers and cookies that are in the key, or that an origin request policy adds.

    What is in the key reaches the origin, also if the origin request policy excepts it.
    """
    forwarded = []
    if headers.kind == "whitelist" or more.kind != "none":
        forwarded = sorted(
            (name, value)
            for name, value in request.headers.items()
            if (headers.kind == "whitelist" and name in headers.names)
            or (more.has(name) and name not in NEVER_FORWARDED and name[0] != ":")
        )
    if (cookies.kind != "none" or more_cookies.kind != "none") and (cookie := request.headers.get("cookie", "")):
        pairs = ((pair.strip(), pair.strip().partition("=")[0]) for pair in cookie.split(";"))
        if kept := "; ".join(pair for pair, name in pairs if cookies.has(name) or more_cookies.has(name)):
            forwarded.append(("cookie", kept))
    return forwarded


@dataclass(frozen=True, slots=True)
class Want:
    """An object that a POP needs: its key, and the request that the origin would receive.

    `get_key`: that of the copy that a GET makes, which also serves HEAD; `target`: the path with query string that
    the origin receives.
    """

    key: Key
    get_key: Key
    method: str
    encoding: str
    behaviour: Behaviour
    forwarded: list[tuple[str, str]]
    target: str

    @property
    def domain(self) -> str:
        """The distribution's domain."""
        return self.key[0]
