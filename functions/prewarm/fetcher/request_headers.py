"""Header lines of the service's own requests, in the form that libcurl expects. Pure; needs no curl."""

from collections.abc import Mapping

from prewarm import __version__

# Fixed, so that a WAF rule can allow the service by its User-Agent.
DEFAULT_USER_AGENT = f"CloudFront-Prewarm/{__version__}"


def header_lines(
    headers: Mapping[str, str], user_agent: str | None = None, accept_encoding: str | None = None
) -> list[str]:
    """Return the lines for libcurl: Accept-Encoding if set, User-Agent, then `headers`.

    Args:
        headers: the request's own headers, name to value; a value may be empty.
        user_agent: the User-Agent, or None for the service's default.
        accept_encoding: the Accept-Encoding, or None to send none.

    """
    lines = [] if accept_encoding is None else [f"Accept-Encoding: {accept_encoding}"]
    lines.append(f"User-Agent: {user_agent or DEFAULT_USER_AGENT}")
    # libcurl reads `Name:` as a request to drop the header; `Name;` sends it with an empty value.
    return lines + [f"{name}: {value}" if value.strip() else f"{name};" for name, value in headers.items()]
