"""Which of its causes a 5xx has, as far as its headers show. Pure.

Sources: CloudFront Developer Guide, "Troubleshooting error responses from your origin": a 502 is sent where
CloudFront cannot connect to the origin, a 504 where the origin does not respond in time, and errors of functions at
the edge have an X-Cache of their own. A response whose Server header does not name CloudFront was made by the origin.
"""

from prewarm.fetcher.response import Response
from prewarm.results.classify import is_made_by_function

ORIGIN, FUNCTION, UNREACHABLE, SLOW, EDGE = "origin", "function", "unreachable", "slow", "edge"
IN_WORDS = {
    ORIGIN: "sent by the origin",
    FUNCTION: "a function at the edge failed",
    UNREACHABLE: "the edge could not connect to the origin",
    SLOW: "the origin did not respond in time",
    EDGE: "sent by the edge, or by an origin that does not name its server",
}
_BY_STATUS = {502: UNREACHABLE, 504: SLOW}


def cause_of(response: Response) -> str:
    """Return the cause of a response with a 5xx, one of those above."""
    if is_made_by_function(response):
        return FUNCTION
    if response.server and response.server.lower() != "cloudfront":
        return ORIGIN
    return _BY_STATUS.get(response.status, EDGE)
