"""Answers that a POP makes itself, before its cache: AWS WAF, limits, failing functions, redirects, bare errors.

Sources: AWS WAF Developer Guide, "How the AWS WAF CAPTCHA and Challenge rule actions behave" (challenge: 202 and
`x-amzn-waf-action: challenge`; CAPTCHA: 405 and `x-amzn-waf-action: captcha`); CloudFront Developer Guide, "Standard
logging reference" (result types LimitExceeded, CapacityExceeded, Redirect and those of functions), "Troubleshooting
error responses" (503 limit exceeded, 503 and 502 of functions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prewarm_local.edge.faults import FUNCTION_ERRORS
from prewarm_local.edge.response import Response, Signature, by_edge

if TYPE_CHECKING:
    from prewarm_local.edge.faults import Fault
    from prewarm_local.edge.request import Request


def edge_answer(fault: Fault, request: Request, signature: Signature, waf_x_cache: str) -> Response | None:  # noqa: PLR0911  (one for each answer)
    """Return the response of a fault that bypasses the cache, or None."""
    head = request.head
    match fault.name:
        case "waf_block":
            return by_edge(403, "Request blocked.", signature, waf_x_cache, head=head)
        case "waf_challenge":
            action = (b"x-amzn-waf-action", b"challenge")
            return by_edge(202, "Verifying the browser.", signature, waf_x_cache, [action], head=head)
        case "waf_captcha":
            action = (b"x-amzn-waf-action", b"captcha")
            return by_edge(405, "Human verification.", signature, waf_x_cache, [action], head=head)
        case "limit":
            return by_edge(int(fault.argument or 503), "Limit exceeded.", signature, "LimitExceeded", head=head)
        case "capacity":
            return by_edge(503, "The edge location is at capacity.", signature, "CapacityExceeded", head=head)
        case "function_error":
            result = fault.argument or "FunctionExecutionError"
            return by_edge(FUNCTION_ERRORS[result], "The function failed.", signature, result, head=head)
        case "bare":
            # Refused before a POP's cache is chosen, as a 421 for a name that the connection was not opened for.
            return by_edge(int(fault.argument), "Bad request.", None, head=head)
        case "redirect":
            location = (b"location", f"https://{request.host}{request.target}".encode("latin-1"))
            return by_edge(301, "Moved.", signature, "Redirect", [location], head=head)
        case "reset":
            response = by_edge(500, "", signature)
            response.reset = True
            return response
    return None
