"""The outcomes of a target, which of them are warm or retried, and a description of each. Pure."""

from enum import StrEnum


class Outcome(StrEnum):
    """The result of one target (URL x POP x variant)."""

    WARMED = "warmed"
    ALREADY_WARM = "already_warm"
    CLIENT_ERROR = "client_error"
    BLOCKED = "blocked"
    SERVER_ERROR = "server_error"
    REDIRECT = "redirect"
    ERROR_PAGE = "error_page"
    LIMITED = "limited"
    UNPROVEN = "unproven"
    STALE = "stale"
    NOT_CACHEABLE = "not_cacheable"
    WRONG_POP = "wrong_pop"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    CONNECT_ERROR = "connect_error"
    TLS_ERROR = "tls_error"
    UNRESOLVED_POP = "unresolved_pop"
    UNREACHABLE = "unreachable"
    NO_DISTRIBUTION = "no_distribution"
    ORIGIN_OVERLOAD = "origin_overload"
    REJECTED = "rejected"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    LOST = "lost"


WARM = frozenset({Outcome.WARMED, Outcome.ALREADY_WARM})
# Retried by the worker, at another address of the POP first.
RETRIED = frozenset(
    {
        Outcome.CONNECT_ERROR,
        Outcome.TIMEOUT,
        Outcome.TRUNCATED,
        Outcome.SERVER_ERROR,
        Outcome.LIMITED,
        Outcome.UNPROVEN,
    }
)
# Retried only once the edge's cached error has expired.
RETRIED_LATER = frozenset({Outcome.SERVER_ERROR, Outcome.LIMITED})
# The outcomes at a dark POP: no valid connection to that POP exists, or it never answers on one.
SILENT = frozenset({Outcome.CONNECT_ERROR, Outcome.TLS_ERROR, Outcome.WRONG_POP, Outcome.TIMEOUT})

# What happened, without what to do about it (next_steps). Each can be followed by "at 3 POPs".
IN_WORDS = {
    Outcome.CLIENT_ERROR: "the origin answered with a 4xx",
    Outcome.BLOCKED: "the edge or the origin refused it: a 403, a WAF challenge or a CAPTCHA",
    Outcome.SERVER_ERROR: "the origin answered with a 5xx, could not be reached, or the edge answered with an error",
    Outcome.REDIRECT: "a redirect, which is not followed",
    Outcome.ERROR_PAGE: "the edge sent a custom error page",
    Outcome.LIMITED: "a limit of CloudFront, AWS WAF or the origin refused it",
    Outcome.STALE: "the edge keeps serving an old copy: expired (RefreshHit), or from before the invalidation",
    Outcome.UNPROVEN: "the edge had no cached copy when the URL was fetched again",
    Outcome.NOT_CACHEABLE: "the distribution's settings, or the origin's headers, keep the edge from caching it",
    Outcome.WRONG_POP: "a different POP answered",
    Outcome.TRUNCATED: "the body ended early",
    Outcome.TOO_LARGE: "the body is larger than max_bytes",
    Outcome.TIMEOUT: "no complete response in time",
    Outcome.CONNECT_ERROR: "the POP refused or broke the connection",
    Outcome.TLS_ERROR: "the TLS connection for the URL's host failed",
    Outcome.UNRESOLVED_POP: "the POP's name does not resolve",
    Outcome.UNREACHABLE: "not fetched (none of its POPs can be reached)",
    Outcome.NO_DISTRIBUTION: "no distribution of this account serves the URL's host",
    Outcome.ORIGIN_OVERLOAD: "not finished (the host's origin was overloaded)",
    Outcome.REJECTED: "not fetched (the request was rejected)",
    Outcome.DEADLINE: "not finished (the run's deadline passed)",
    Outcome.CANCELLED: "not finished (the run was cancelled)",
    Outcome.LOST: "no result (the run or its worker failed before it reported one)",
}
