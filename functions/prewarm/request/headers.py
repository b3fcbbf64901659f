"""Validation of the request headers that a run sends to CloudFront. Pure."""

import re
from collections.abc import Mapping, Sequence

from prewarm.errors import Problem, truncate
from prewarm.urls import is_secret_name

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
VISIBLE = re.compile(r"[\t\x20-\x7e]*", re.ASCII)
# Headers that belong to the connection or the cache, or that the service sets itself.
RESERVED_HEADERS = frozenset(
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
# CloudFront accepts 20,480 bytes of a request without its body, and 8,192 bytes of URL (Developer Guide, "Quotas",
# "General quotas": "Maximum length of a request or an origin response, including headers and query strings, but not
# including the body content" and "Maximum length of a URL"; read 2026-11). The rest is for the headers, less what the
# service adds itself: Host, Pragma, names and separators.
MAX_HEADER_BYTES = 20_480 - 8_192 - 512
# CloudFront publishes no number of headers. It passes at most 200 of a request to AWS WAF (WAF Developer Guide,
# "Oversize web request components in AWS WAF"; read 2026-11), and libcurl sends as many over HTTP/1.1 and HTTP/2.
MAX_HEADERS = 200
INVALID_VALUE = "contains a character that is not allowed in a header value; use visible ASCII characters and spaces"
# The content codings that clients name in Accept-Encoding (IANA's registry, "HTTP Content Coding Registry"), with a
# weight (RFC 9110, sections 12.4.2 and 12.5.3).
CODING = r"(?:br|gzip|x-gzip|deflate|compress|x-compress|zstd|dcb|dcz|identity|\*)"
WEIGHT = r"(?:[ \t]*;[ \t]*q=(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
ACCEPT_ENCODING = re.compile(rf"[ \t]*{CODING}{WEIGHT}[ \t]*(?:,[ \t]*{CODING}{WEIGHT}[ \t]*)*", re.IGNORECASE)
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key", "x-amz-security-token"})


def check_accept_encoding(text: str) -> str:
    """Return an Accept-Encoding value as it is given.

    Raises:
        ValueError: CloudFront would read it as identity or ignore a part of it, though it names something else.

    """
    if not VISIBLE.fullmatch(text):
        raise ValueError(INVALID_VALUE)
    if not ACCEPT_ENCODING.fullmatch(text):
        examples = "'br, gzip', 'gzip' or 'identity'"
        raise ValueError(f"must be an Accept-Encoding value such as {examples}, optionally with weights from 0 to 1")
    return text


def spelled_once(accept_encodings: Sequence[str]) -> list[str]:
    """Return values without those that differ from an earlier one in spaces and upper case only."""
    values: dict[str, str] = {}
    for text in accept_encodings:
        values.setdefault("".join(text.split()).lower(), text)
    return list(values.values())


def header_problems(
    headers: Mapping[str, str], accept_encodings: Sequence[str], user_agent: str | None, *, direct: bool
) -> list[Problem]:
    """Return the problems of a request's headers.

    `direct`: whether the Step Functions console displays them; then secrets are rejected.
    """
    problems = []
    size = sum(len(name) + len(value) + len(": \r\n") for name, value in headers.items())
    size += len(user_agent or "") + max(map(len, accept_encodings), default=0)
    if size > MAX_HEADER_BYTES:
        fix = f"CloudFront accepts 20,480 bytes for URL and headers, of which {MAX_HEADER_BYTES:,} are for these"
        message = f"with user_agent and the longest of accept_encodings the headers have {size:,} bytes; {fix}"
        return [Problem("headers", message)]
    spelled: dict[str, str] = {}
    for name, value in headers.items():
        field = f"headers.{truncate(name)}"
        if not TOKEN.fullmatch(name):
            problems.append(Problem(field, "is not a valid header name; use letters, digits and hyphens"))
        elif name.lower() in RESERVED_HEADERS:
            problems.append(Problem(field, "is set by the service; remove it"))
        elif direct and (name.lower() in SECRET_HEADERS or is_secret_name(name)):
            fix = "an execution's input is visible in the console; start the run with POST /prewarm instead"
            problems.append(Problem(field, f"contains a secret; {fix}"))
        elif (first := spelled.setdefault(name.lower(), name)) != name:
            problems.append(Problem(field, f"is the same header as {truncate(first)}; remove one"))
        if not VISIBLE.fullmatch(value):
            problems.append(Problem(field, INVALID_VALUE))
    if not VISIBLE.fullmatch(user_agent or ""):
        problems.append(Problem("user_agent", INVALID_VALUE))
    elif user_agent is not None and not user_agent.strip():
        problems.append(Problem("user_agent", "is blank; write a text, or omit it for the default"))
    return problems
