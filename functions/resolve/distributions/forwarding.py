"""What a behaviour forwards to its origin that is not in the cache key, and the harm that this does. Pure.

An origin request policy adds headers to the request to the origin, not to the cache key: the first copy is given to
all viewers, whatever they send. A response headers policy with CORS headers adds those to every response, cached or
not. Sources: CloudFront Developer Guide, "Control origin requests with a policy", "Add or remove HTTP headers in
CloudFront responses with a policy"; API Reference, "OriginRequestPolicyConfig", "ResponseHeadersPolicyConfig".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from resolve.distributions.managed_policies import ORIGIN_REQUEST, PREFLIGHT, RESPONSE_HEADERS

Document = Mapping[str, Any]
ALLOW_ORIGIN = "access-control-allow-origin"
# Headers on which no response to a GET depends: Host is the same for all viewers of a URL, CloudFront sets
# X-Forwarded-For for every viewer, and the others are those of preflight requests.
HARMLESS = frozenset({"host", "x-forwarded-for", *(name.lower() for name in PREFLIGHT)})
HEADERS_SHOWN = 5
# What an origin request policy may forward (HeaderBehavior): all headers of the viewer, except those listed, or with
# CloudFront's own that are listed.
ALL, ALL_AND_OWN, ALL_EXCEPT = "allViewer", "allViewerAndWhitelistCloudFront", "allExcept"


@dataclass(frozen=True)
class Unread:
    """A policy that could not be read: the error's code."""

    code: str


NOT_READ = Unread("not read")


@dataclass(frozen=True)
class Forwarding:
    """What a behaviour's policies forward to the origin, and the CORS headers that they add to responses.

    `policy`: the origin request policy's name, empty without one; `all_viewer`: whether all headers of the viewer are
    forwarded, except `excepted`; `listed`: headers forwarded by name, in lower case; `cookies`, `queries`: whether
    any are; `adds_cors`, `replaces_cors`: whether responses get CORS headers, and instead of the origin's; `unread`,
    `unread_response`: why the origin request policy, or the response headers policy, is not known. `server_timing`:
    whether responses carry Server-Timing (API Reference, ResponseHeadersPolicyServerTimingHeadersConfig); None if
    that is not known.
    """

    policy: str = ""
    all_viewer: bool = False
    listed: frozenset[str] = frozenset()
    excepted: frozenset[str] = frozenset()
    cookies: bool = False
    queries: bool = False
    adds_cors: bool = False
    replaces_cors: bool = False
    unread: str = ""
    unread_response: str = ""
    server_timing: bool | None = False

    def forwards(self, name: str) -> bool:
        """Return whether a header of the viewer reaches the origin by the origin request policy."""
        return name in self.listed or (self.all_viewer and name not in self.excepted)


NOTHING_FORWARDED = Forwarding()


@dataclass(frozen=True)
class Policies:
    """The policies of a distribution that are not managed, by id: origin request, response headers."""

    origin_request: Mapping[str, Document | Unread] = field(default_factory=dict)
    response_headers: Mapping[str, Document | Unread] = field(default_factory=dict)


NO_POLICIES = Policies()


def forwarding(settings: Document, policies: Policies) -> Forwarding:
    """Return what a cache behaviour forwards; `settings`: its own, as in a DistributionConfig.

    The headers of legacy settings (ForwardedValues) are all in the cache key, so they are not listed here.
    """
    found: dict[str, Any] = {}
    if policy_id := settings.get("OriginRequestPolicyId"):
        policy = ORIGIN_REQUEST.get(policy_id) or policies.origin_request.get(policy_id, NOT_READ)
        found |= {"unread": policy.code, "policy": policy_id} if isinstance(policy, Unread) else _forwarded(policy)
    if policy_id := settings.get("ResponseHeadersPolicyId"):
        policy = RESPONSE_HEADERS.get(policy_id) or policies.response_headers.get(policy_id, NOT_READ)
        if isinstance(policy, Unread):
            found |= {"unread_response": policy.code, "server_timing": None}
        else:
            timing = (policy.get("ServerTimingHeadersConfig") or {}).get("Enabled", False)
            found |= _cors(policy) | {"server_timing": bool(timing)}
    return Forwarding(**found)


def _forwarded(policy: Document) -> dict[str, Any]:
    headers = policy.get("HeadersConfig") or {}
    behaviour = headers.get("HeaderBehavior", "none")
    names = frozenset(name.lower() for name in (headers.get("Headers") or {}).get("Items") or [])
    listing = behaviour in {"whitelist", ALL_AND_OWN}
    return {
        "policy": policy.get("Name", ""),
        "all_viewer": behaviour in {ALL, ALL_AND_OWN, ALL_EXCEPT},
        "listed": names if listing else frozenset(),
        "excepted": names if behaviour == ALL_EXCEPT else frozenset(),
        "cookies": (policy.get("CookiesConfig") or {}).get("CookieBehavior", "none") != "none",
        "queries": (policy.get("QueryStringsConfig") or {}).get("QueryStringBehavior", "none") != "none",
    }


def _cors(policy: Document) -> dict[str, Any]:
    """Return whether a response headers policy adds the header that allows other sites to read a response."""
    cors = policy.get("CorsConfig") or {}
    if (cors.get("AccessControlAllowOrigins") or {}).get("Items"):
        return {"adds_cors": True, "replaces_cors": bool(cors.get("OriginOverride"))}
    for each in (policy.get("CustomHeadersConfig") or {}).get("Items") or []:
        if each.get("Header", "").lower() == ALLOW_ORIGIN:
            return {"adds_cors": True, "replaces_cors": bool(each.get("Override"))}
    return {}


def forwarding_warnings(
    forwarded: Forwarding, key_headers: frozenset[str], key_cookies: str, sent: Iterable[str]
) -> Iterator[str]:
    """Yield how the copies that a run makes may harm viewers, because the cache key lacks what the origin receives.

    Args:
        forwarded: what the behaviour forwards.
        key_headers: the headers of its cache key, in lower case.
        key_cookies: which cookies its cache key has (`none`, `all`, …).
        sent: the names of the request's own headers, in lower case.

    """
    sent = set(sent)
    policy = f"its origin request policy {forwarded.policy}"
    if forwarded.unread:
        yield (
            f"{policy} could not be read ({forwarded.unread}), so it was not checked whether it forwards headers "
            "that are not in the cache key; allow cloudfront:GetOriginRequestPolicy"
        )
        return
    if forwarded.forwards("origin") and "origin" not in key_headers:
        yield from _without_origin(forwarded, policy, is_sent="origin" in sent)
    own = {name for name in sent - {"cookie"} if forwarded.forwards(name)}
    others = sorted((forwarded.listed | own) - key_headers - HARMLESS - {"origin"})
    if others:
        more = f" and {len(others) - HEADERS_SHOWN} more" if len(others) > HEADERS_SHOWN else ""
        yield (
            f"{policy} forwards {', '.join(others[:HEADERS_SHOWN])}{more}, which the cache key does not have: the "
            "copy that the origin makes for this run is given to all viewers, whatever they send; add them to the "
            "cache key, or do not forward them"
        )
    if forwarded.cookies and key_cookies == "none" and "cookie" in sent:
        yield (
            f"{policy} forwards cookies, which the cache key does not have: the copy that the origin makes for this "
            "run's cookies is given to all viewers; leave Cookie out of headers"
        )


def _without_origin(forwarded: Forwarding, policy: str, *, is_sent: bool) -> Iterator[str]:
    """Yield the harm to viewers of other sites (CORS), unless the response headers policy prevents it."""
    if forwarded.replaces_cors or (forwarded.adds_cors and not is_sent):
        return
    forwards = f"{policy} forwards Origin, which the cache key does not have"
    if is_sent:
        harm = "the copy for this run's Origin, with its CORS headers, is given to the viewers of all sites"
    else:
        harm = (
            "the copy that this run fetches without Origin may have no CORS headers (Access-Control-Allow-Origin), "
            "and is given to all viewers, so that browsers refuse it to other sites"
        )
    fix = (
        "use a response headers policy that sets the CORS headers and overrides the origin's"
        if is_sent
        else ("use a response headers policy that sets the CORS headers")
    )
    unknown = ""
    if forwarded.unread_response:
        unknown = (
            f"; whether its response headers policy sets them could not be checked ({forwarded.unread_response}): "
            "allow cloudfront:GetResponseHeadersPolicy"
        )
    yield f"{forwards}: {harm}; {fix}, or add Origin to the cache key{unknown}"


def harmless_in_vary(forwarded: Forwarding, key_headers: frozenset[str], key_cookies: str) -> set[str]:
    """Return the headers that a response may name in Vary without harm: of the cache key, or set by CloudFront."""
    names = set(key_headers)
    if key_cookies != "none":
        names.add("cookie")
    if forwarded.adds_cors:
        names.add("origin")
    return names
