"""URL parser: reject URLs that cannot be warmed, normalise the others as browsers request them.

CloudFront caches by the exact bytes of path and query, so a URL is fetched in the form that browsers send: the WHATWG
URL Standard. ada-url (the parser of Node.js) converts hosts; paths and queries are encoded here, in less time, and a
property test compares them with ada's. A URL that ada accepts and no viewer can request from CloudFront is refused.
"""

import re
from typing import TypeVar

from ada_url import URL, idna_to_ascii, normalize_url

from prewarm.errors import truncate
from prewarm.urls import Url, redacted

T = TypeVar("T")
# CloudFront's quota "Maximum length of a URL": 8,192 bytes (Developer Guide, "Quotas").
LONGEST_URL = 8192
LONGEST_HOST = 253
IP_ADDRESS = "contains an IP address; use the host name that the distribution serves"
# Where the path of a URL can begin: a host has a character at least.
BEFORE_PATH = len("https://")
DEFAULT_PORTS = {"https": 443, "http": 80}
# The spellings of a port that clients drop.
NO_PORTS = {scheme: {":", f":{port}"} for scheme, port in DEFAULT_PORTS.items()}
# A browser removes tabs and newlines from a URL, and a viewer's link never has other control characters. Lone
# surrogates are not characters.
NOT_A_CHARACTER = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# Scheme and authority as in the request; `\` separates like `/` in http and https URLs.
START = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<slashes>[/\\]*)(?P<authority>[^/\\?#]*)(?P<rest>.*)", re.DOTALL
)
PORT = re.compile(r":([0-9]*)$")
# Path and query of characters that no browser changes, and the same with percent-encoded bytes.
KEPT = "[A-Za-z0-9_~!$&()+,;=:@./-]*+"
ENCODED = f"{KEPT}(?:%[0-9A-Fa-f]{{2}}{KEPT})*+"
TAIL, ENCODED_TAIL = (rf"/{part}(?:\?{part})?+" for part in (KEPT, ENCODED))
# A URL that is fetched letter by letter as it is given, as nearly all are: found in a tenth of the parser's time. Its
# host ends in a label that starts with a letter, so that it is not a number; a path with `/.` needs a closer look.
HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
PLAIN = re.compile(f"(?P<scheme>https?)://(?P<host>{HOST}){TAIL}", re.ASCII)
PLAIN_PATH = re.compile(TAIL, re.ASCII)
PLAIN_HOST = re.compile(HOST, re.ASCII)
PLAIN_TAIL = re.compile(ENCODED_TAIL, re.ASCII)
# A URL that has none of the faults that _check_given and _check_authority look for, one by one, to name them.
FAULTLESS = re.compile(
    r"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://"
    r"(?P<host>[^/\\?#@:*\[\]\x00-\x1f\x7f\ud800-\udfff]++)(?P<port>:(?:443|80)?+)?"
    r"(?P<rest>(?:[/?][^#*\x00-\x1f\x7f\ud800-\udfff]*+)?(?:#[^\x00-\x1f\x7f\ud800-\udfff]*+)?)"
)
# The ASCII characters that stay as they are in a path and in a query of http and https (URL Standard, "path
# percent-encode set", "special-query percent-encode set"); all other bytes of the UTF-8 form are percent-encoded.
UNRESERVED = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
PATH_BYTES, QUERY_BYTES = (
    tuple(chr(byte) if chr(byte) in UNRESERVED + kept else f"%{byte:02X}" for byte in range(256))
    for kept in ("!$%&'()*+,/:;=@[\\]|", "!$%&()*+,/:;=?@[\\]^`{|}")
)
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Clients remove these segments before they send a request, so such a path is not a cache key.
DOT_SEGMENT = re.compile(r"(?i)/(?:\.|%2e){1,2}(?=/|$)")
HOST_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# A last label that makes clients read the whole host as an IPv4 address (URL Standard, "ends in a number").
NUMBER_LABEL = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
# Characters that IDNA 2003 and IDNA 2008 turn into different hosts: sharp s, final sigma, the two joiners.
AMBIGUOUS_IN_HOSTS = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")

# The hosts of the last URLs by name as given.
MOST_HOSTS_KEPT = 4096
_HOSTS: dict[str, str] = {}
# Scheme and host of the last URLs that were fetched as given, by what precedes their path.
_ORIGINS: dict[str, tuple[str, str]] = {}


def parse_url(text: str) -> Url:
    """Return one URL in its original form and as it is fetched.

    Scheme and host become lower case, an IDN becomes its A-labels, a default port, the fragment and a trailing dot of
    the host are dropped, an empty path becomes `/`, and the characters that browsers percent-encode are encoded. The
    case of `%xx`, an empty `?`, `//` and `;` stay: they are part of the cache key.

    Raises:
        ValueError: the URL cannot be warmed; the message contains the reason and the fix.

    """
    given = text.strip(" \t\r\n\f\v")
    start = None
    if len(given) <= LONGEST_URL:
        if "/." not in given and given.isascii():
            path = given.find("/", BEFORE_PATH)
            origin = _ORIGINS.get(given[:path])
            if origin and PLAIN_PATH.fullmatch(given, path):
                return Url(given, given, *origin)
            if plain := PLAIN.fullmatch(given):
                scheme, host = plain.groups()
                # A label in the form of an IDN (`xn--`) may be invalid.
                if len(host) <= LONGEST_HOST and ("--" not in host or _host(host) == host):
                    _keep(_ORIGINS, given[:path], (scheme, host))
                    return Url(given, given, scheme, host)
        start = FAULTLESS.fullmatch(given)
    if start:
        scheme, name, port, rest = start.groups()
        scheme = scheme.lower()
    if not start or (port and port not in NO_PORTS[scheme]):
        scheme, name, rest = _checked_parts(given)
    if len(name) > LONGEST_HOST + 1:
        raise _not_a_name(name, f": longer than {LONGEST_HOST} characters")
    host = _host(name)
    fetch = f"{scheme}://{host}{_tail(rest) if rest else '/'}"
    if len(fetch) > LONGEST_URL:
        raise ValueError(f"is {len(fetch):,} bytes long; CloudFront accepts at most {LONGEST_URL:,}")
    return Url(given, fetch, scheme, host)


def _checked_parts(given: str) -> tuple[str, str, str]:
    """Return scheme, host and rest of a URL; refuse what no viewer can request, with the reason."""
    start = _check_given(given)
    scheme, authority = start["scheme"].lower(), start["authority"]
    _check_authority(scheme, authority)
    port = PORT.search(authority)
    return scheme, authority[: port.start()] if port else authority, start["rest"]


def near_urls(text: str) -> tuple[str, ...]:
    """Return the URL that a refused text without scheme may mean, such as https://www.example.com/; else nothing."""
    given = text.strip(" \t\r\n\f\v").removeprefix("//")
    if "://" in given or len(given) > LONGEST_URL or not given or given.startswith(("/", "\\")):
        return ()
    try:
        url = parse_url(f"https://{given}")
    except ValueError:
        return ()
    return (redacted(url.fetch),)


def _check_given(given: str) -> re.Match[str]:
    """Return the URL's scheme, authority and rest, in bounded time for any text."""
    if not given:
        raise ValueError("is empty; use a URL such as https://www.example.com/index.html")
    if len(given) > 2 * LONGEST_URL or len(given.partition("#")[0]) > LONGEST_URL:
        raise ValueError(f"is {len(given):,} characters long; CloudFront accepts at most {LONGEST_URL:,} bytes")
    if odd := NOT_A_CHARACTER.search(given):
        if odd[0].isascii():
            raise ValueError("contains a control character; percent-encode it or remove it")
        raise ValueError("contains a lone surrogate; percent-encode the character's UTF-8 bytes")
    if "*" in given.partition("#")[0]:
        raise ValueError("contains a *; patterns can be invalidated but not warmed, so list the URLs themselves")
    start = START.match(given)
    if start is None:
        raise ValueError("has no scheme; use https:// or http://")
    if start["scheme"].lower() not in DEFAULT_PORTS:
        raise ValueError(f"has the scheme {truncate(start['scheme'])!r}; use https:// or http://")
    if len(start["slashes"]) != 2:  # noqa: PLR2004 - `://`
        raise ValueError("has no host; write https:// and the host name")
    if start["rest"].startswith("\\") and "@" in start["rest"]:
        raise ValueError(
            r"has a backslash before an @, so clients may use another host; replace the backslash with /"
        )
    return start


def _check_authority(scheme: str, authority: str) -> None:
    """Reject credentials, IPv6 addresses and ports other than the scheme's own."""
    if "@" in authority:
        raise ValueError("contains a user name or password; CloudFront accepts neither")
    if "[" in authority or "]" in authority:
        raise ValueError(IP_ADDRESS)
    _, colon, port = authority.partition(":")
    if colon and not ((port.isascii() and port.isdecimal()) or not port):
        raise ValueError(f"has {truncate(port)!r} where a port belongs; remove it")
    if port and port.lstrip("0") != str(DEFAULT_PORTS[scheme]):
        raise ValueError(
            f"has port {truncate(port)}; CloudFront serves {scheme} only on port {DEFAULT_PORTS[scheme]}"
        )


def _not_a_name(host: str, reason: str = "") -> ValueError:
    return ValueError(f"has the host {truncate(host)!r}, which is not a full domain name{reason}")


def _host(name: str) -> str:
    """Return a host in lower case, an IDN as A-labels, without a trailing dot; kept for the next URLs.

    Replacing the oldest of the kept hosts by each new one, as functools does, takes a third of a conversion.
    """
    host = _HOSTS.get(name)
    if host is None:
        host = _converted(name)
        _keep(_HOSTS, name, host)
    return host


def _keep(kept: dict[str, T], name: str, value: T) -> None:
    if len(kept) >= MOST_HOSTS_KEPT:
        kept.clear()
    kept[name] = value


def _converted(name: str) -> str:
    if not name:
        raise ValueError("has no host")
    if AMBIGUOUS_IN_HOSTS.search(name):
        raise ValueError(f"has the host {truncate(name)!r}, which clients convert in two ways; use its xn-- form")
    # A browser decodes %xx in a host; the only use of it in a link is to hide the host.
    if "%" in name or " " in name:
        raise _not_a_name(name)
    if plain := _plain_host(name.lower()) if name.isascii() else None:
        return plain
    try:
        # Half the time of the whole parser; what is not a plain name afterwards, that one decides.
        if (
            not name.isascii()
            and PLAIN_HOST.fullmatch(host := idna_to_ascii(name).decode())
            and len(host) <= LONGEST_HOST
        ):
            return host
        host = normalize_url(f"https://{name}/")[len("https://") : -1].removesuffix(".")
    except ValueError as error:
        raise _not_a_name(name) from error
    labels = host.split(".")
    # ada writes every spelling of an IPv4 address, such as 1.2.3 or 0x7f000001, as four numbers.
    if NUMBER_LABEL.fullmatch(labels[-1]):
        raise ValueError(IP_ADDRESS)
    if len(host) > LONGEST_HOST or len(labels) < 2 or not all(map(HOST_LABEL.fullmatch, labels)):  # noqa: PLR2004 - a single label is not a public name
        raise _not_a_name(name)
    return host


def _plain_host(name: str) -> str | None:
    """Return an ASCII host that needs no conversion, None if the parser decides; refuse an IP address."""
    if NUMBER_LABEL.fullmatch(name.removesuffix(".").rpartition(".")[2]):
        raise ValueError(IP_ADDRESS)
    if len(name) > LONGEST_HOST or not PLAIN_HOST.fullmatch(name):
        return None
    # A valid A-label stays as it is; ada says in a tenth of the time whether it is valid.
    return name if "--" not in name or URL.can_parse(f"https://{name}/") else None


def _tail(rest: str) -> str:
    """Return path and query as a browser sends them."""
    # `/%2` may begin a dot segment.
    if "/." not in rest and "/%2" not in rest and PLAIN_TAIL.fullmatch(rest):
        return rest
    before_fragment = rest.partition("#")[0]
    path, mark, query = before_fragment.partition("?")
    path = path.replace("\\", "/") or "/"
    if ("/." in path or "%" in path) and DOT_SEGMENT.search(path):
        raise ValueError("has a . or .. segment in its path, which clients resolve first; use the resolved path")
    if "%" in before_fragment and BAD_ESCAPE.search(before_fragment):
        raise ValueError("contains a % that does not start a percent-encoded byte; write %25 for a literal %")
    encoded = "".join(map(PATH_BYTES.__getitem__, path.encode()))
    return encoded + mark + "".join(map(QUERY_BYTES.__getitem__, query.encode())) if mark else encoded
