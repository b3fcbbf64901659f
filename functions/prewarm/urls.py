"""URLs: which are taken, in what form they are fetched, and how they are shown where anybody may look.

Pure string work; nothing here asks the network.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from prewarm.errors import truncate

# CloudFront's quota "Maximum length of a URL": 8,192 bytes (Developer Guide, "Quotas").
LONGEST_URL = 8192
LONGEST_HOST = 253
IP_ADDRESS = "names an IP address; use the host name that the distribution serves"
DEFAULT_PORTS = {"https": 443, "http": 80}
# Characters that stay as they are: RFC 3986's and the percent sign, and those outside of it that browsers send
# as they are all the same (URL Standard, "path percent-encode set" and "query percent-encode set").
PATH_SAFE = "!#$%&'()*+,/:;=?@[]~-._|^"
QUERY_SAFE = PATH_SAFE + "`{}"
CONTROL = re.compile(r"[\x00-\x20\x7f\\]")
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Clients remove these segments before they ask: such a path is no cache key.
DOT_SEGMENT = re.compile(r"(?i)/(?:\.|%2e){1,2}(?=/|$)")
HOST_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# A last label that makes clients read the whole host as an IPv4 address (URL Standard, "ends in a number").
NUMBER_LABEL = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
# Characters that IDNA 2003 and IDNA 2008 turn into different hosts: sharp s, final sigma, the two joiners.
AMBIGUOUS_IN_HOSTS = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")
# Query parameters that carry a CloudFront signature (Developer Guide, "Using signed URLs"), an S3 one or a token.
SECRET_PARAMETER = re.compile(
    r"(?i)(?<=[?&])(Signature|Policy|Key-Pair-Id|Expires|X-Amz-[A-Za-z-]+|[a-z_-]*token|[a-z_-]*(?:key|secret)|sig|auth)"
    r"=[^&#]*"
)
# The user and password of a URL; such a URL is refused, and the message must not repeat them.
USER_PART = re.compile(r"(?<=//)[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Url:
    """One URL: as in the request (`given`), as it is fetched, scheme and host."""

    given: str
    fetch: str
    scheme: str
    host: str


def parse_url(text: str) -> Url:
    """Check one URL and bring it into the form in which it is fetched.

    Scheme and host become lower case, a default port and the fragment are dropped, an empty path becomes `/`,
    and what is not ASCII is percent-encoded as UTF-8, as are the few characters that browsers encode (`"<>`, in
    the path also {} and the backtick). All else of path and query stays as it is to the letter: it is the cache key.

    Raises:
        ValueError: the URL is not taken; the message says why and what would be.

    """
    given = text.strip()
    parts, port = _split(given)
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        named = f"has the scheme {truncate(scheme)!r}" if scheme else "has no scheme"
        raise ValueError(f"{named}; only https:// and http:// are warmed")
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password; CloudFront takes none")
    if "[" in parts.netloc:
        raise ValueError(IP_ADDRESS)
    host = _host(parts.hostname or "")
    if port not in (None, DEFAULT_PORTS[scheme]):
        raise ValueError(f"names port {port}; CloudFront answers {scheme} on port {DEFAULT_PORTS[scheme]} only")
    if DOT_SEGMENT.search(parts.path):
        raise ValueError("has a . or .. in its path, which clients resolve before they ask; give the resolved path")
    tail = quote(parts.path or "/", safe=PATH_SAFE)
    # An empty query is part of the cache key's text all the same: keep the question mark that was given.
    if parts.query or given.split("#", 1)[0].endswith("?"):
        tail += "?" + quote(parts.query, safe=QUERY_SAFE)
    if BAD_ESCAPE.search(tail):
        raise ValueError("holds a % that starts no percent-encoded byte; write %25 for the sign itself")
    fetch = f"{scheme}://{host}{tail}"
    if len(fetch) > LONGEST_URL:
        raise ValueError(f"is {len(fetch):,} bytes long; CloudFront takes {LONGEST_URL:,} at most")
    return Url(given, fetch, scheme, host)


def _split(given: str) -> tuple[SplitResult, int | None]:
    """Split a URL into its parts and its port, after a look at what no URL may hold."""
    if not given:
        raise ValueError("is empty; give a URL such as https://www.example.com/index.html")
    if CONTROL.search(given):
        raise ValueError("holds a space, a backslash or a control character; percent-encode it")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a surrogate pair, which is no character; percent-encode its UTF-8") from error
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"cannot be read as a URL: {truncate(str(error))}") from error
    return parts, port


def _host(name: str) -> str:
    """Return a host in lower case and, where it is not ASCII, in its IDNA form."""
    if not name:
        raise ValueError("names no host")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        raise ValueError(IP_ADDRESS)
    if AMBIGUOUS_IN_HOSTS.search(name):
        raise ValueError(f"has the host {truncate(name)!r}, which clients read in two ways; give its xn-- form")
    try:
        host = name.encode("ascii" if name.isascii() else "idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise ValueError(f"has the host {truncate(name)!r}, which is no domain name") from error
    labels = host.split(".")
    if len(host) > LONGEST_HOST or len(labels) < 2 or not all(HOST_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - a bare label is no public name
        raise ValueError(f"has the host {truncate(name)!r}, which is no full domain name")
    if NUMBER_LABEL.fullmatch(labels[-1]):
        raise ValueError(IP_ADDRESS)
    return host


def deduplicate(urls: list[Url]) -> list[Url]:
    """Return the URLs in order without duplicates; the first spelling of each is kept."""
    by_fetch: dict[str, Url] = {}
    for url in urls:
        by_fetch.setdefault(url.fetch, url)
    return list(by_fetch.values())


def redacted(url: str) -> str:
    """Return a URL with passwords, signatures and tokens replaced by `…`.

    States, logs and reports contain URLs only in this form.
    """
    return SECRET_PARAMETER.sub(r"\1=…", USER_PART.sub("…@", url))
