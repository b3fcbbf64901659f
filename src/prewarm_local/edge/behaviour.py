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
    from collections.abc import Mapping

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

    `pages`: custom error pages by the origin's status, each the page's path and the status sent with it.
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

    def want(self, domain: str, request: Request, *, separate: bool) -> Want:
        """Return what the request asks for; `separate`: a HEAD is asked as such, and its copy has its own key."""
        target = request.target
        if self.queries.kind != "all":
            path, _, query = target.partition("?")
            kept = "&".join(part for part in query.split("&") if part and self.queries.has(part.partition("=")[0]))
            target = f"{path}?{kept}" if kept else path
        encoding = normalise_encoding(request.headers.get("accept-encoding", ""))
        if encoding and len(self.encodings) < 2:  # noqa: PLR2004
            encoding = ",".join(coding for coding in encoding.split(",") if coding in self.encodings)
        forwarded = self._forwarded(request)
        rest = encoding + "".join(f"\n{name}: {value}" for name, value in forwarded)
        get_key = (domain, target, rest)
        if separate:
            return Want((domain, target, f"HEAD {rest}"), get_key, "HEAD", encoding, self, forwarded)
        return Want(get_key, get_key, "GET", encoding, self, forwarded)

    def _forwarded(self, request: Request) -> list[tuple[str, str]]:
        forwarded = []
        if self.headers.kind == "whitelist":
            forwarded = sorted((n, v) for n, v in request.headers.items() if n in self.headers.names)
        if self.cookies.kind != "none" and (cookie := request.headers.get("cookie", "")):
            pairs = [pair.strip() for pair in cookie.split(";")]
            if kept := "; ".join(pair for pair in pairs if self.cookies.has(pair.partition("=")[0])):
                forwarded.append(("cookie", kept))
        return forwarded


@dataclass(frozen=True, slots=True)
class Want:
    """An object that a POP needs: its key, and the request that the origin would receive.

    `get_key`: that of the copy that a GET makes, which also serves HEAD.
    """

    key: Key
    get_key: Key
    method: str
    encoding: str
    behaviour: Behaviour
    forwarded: list[tuple[str, str]]

    @property
    def domain(self) -> str:
        """The distribution's domain."""
        return self.key[0]

    @property
    def target(self) -> str:
        """The path with query string that the origin receives."""
        return self.key[1]
