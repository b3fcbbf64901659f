"""The headers that a request may ask for: which, and what they may hold. Pure."""

import re
from collections.abc import Mapping, Sequence

from prewarm.errors import Problem, truncate

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
VISIBLE = re.compile(r"[\t\x20-\x7e]*", re.ASCII)
# Headers that are the connection's, the cache's or the service's own business.
OWN_HEADERS = frozenset(
    {
        "host",
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
        "accept-encoding",
        "user-agent",
        "range",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-range",
        "if-unmodified-since",
    }
)
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key", "x-amz-security-token"})


def header_problems(
    headers: Mapping[str, str], accept_encodings: Sequence[str], user_agent: str | None, *, direct: bool
) -> list[Problem]:
    """Return what is wrong with a request's headers; `direct`: everybody sees them who sees the console."""
    problems = []
    for name, value in headers.items():
        where = f"headers.{truncate(name)}"
        if not TOKEN.fullmatch(name):
            problems.append(Problem(where, "is no header name"))
        elif name.lower() in OWN_HEADERS:
            problems.append(Problem(where, "is set by the service itself and cannot be given"))
        elif direct and name.lower() in SECRET_HEADERS:
            advice = "an execution's input is visible in the console; start the run through POST /prewarm instead"
            problems.append(Problem(where, f"holds a secret; {advice}"))
        if not VISIBLE.fullmatch(value):
            problems.append(Problem(where, "holds characters that no header value may hold"))
    texts = {f"accept_encodings[{i}]": text for i, text in enumerate(accept_encodings)}
    problems += [
        Problem(where, "holds characters that no header value may hold")
        for where, text in (texts | {"user_agent": user_agent or ""}).items()
        if not VISIBLE.fullmatch(text)
    ]
    return problems
