"""URLs of a run: the value type, deduplication, and redaction of secrets. Pure but for one setting.

Kept free of the parser (prewarm.request.url_parser), which needs ada-url, so that the warm function and the base
command can import it.
"""

import functools
import os
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

# A parameter's name and equals sign, behind the separators of queries, fragments and matrix parameters (`;name=`).
PARAMETER = re.compile(r"(?<=[?&;#])([^=&;#?]+)=")
# A value ends at the next separator; a `;` belongs to it unless another parameter follows.
VALUE = re.compile(r"[^&;#]*(?:;(?![^=&;#?]*=)[^&;#]*)*")
# The first part of a value, up to whatever may start another parameter.
FIRST_PART = re.compile(r"[^&;#?]*")
# Where the words of a name end: at punctuation, and before a capital as in `sessionId`.
WORD_BREAK = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
# Parameters of signed URLs: CloudFront (Developer Guide, "Using signed URLs"), Amazon S3, Google Cloud Storage.
SIGNING_PREFIXES = ("x-amz-", "x-goog-")
# A name is secret if a word of it is one of these, contains one of those, or ends in `key`.
SECRET_WORDS = frozenset(
    {
        "sig",
        "sign",
        "policy",
        "expires",
        "sid",
        "pwd",
        "pass",
        "pw",
        "otp",
        "pin",
        "auth",
        "sso",
        "saml",
        "hmac",
        "mac",
        "sas",
    }
)
SECRET_PARTS = (
    "signature",
    "token",
    "secret",
    "passw",
    "passphrase",
    "credential",
    "session",
    "sessid",
    "jwt",
    "oauth",
    "authori",
    "authentic",
    "bearer",
    "cookie",
    "ticket",
    "assertion",
)
# Secret as a whole name only, since many names contain it, such as country_code.
SECRET_NAMES = frozenset({"code", "state", "se", "sp", "sv", "hdnts", "hdnea"})
# Times that a name may be percent-encoded; a proxy or an application may decode it more than once.
DECODINGS = 3
# The user and password of a URL; such a URL is refused, and the message must not repeat them.
USER_PART = re.compile(r"(?<=//)[^/?#]*@")


class Url(NamedTuple):
    """One URL: as in the request (`given`), as it is fetched, scheme and host.

    A run may have a million of them; a tuple is made in a third of the time of a frozen dataclass.
    """

    given: str
    fetch: str
    scheme: str
    host: str


def deduplicate(urls: list[Url]) -> list[Url]:
    """Return the URLs in order without duplicates; the first spelling of each is kept."""
    by_fetch: dict[str, Url] = {}
    for url in urls:
        by_fetch.setdefault(url.fetch, url)
    return list(by_fetch.values())


def respelled(urls: Iterable[Url]) -> dict[int, str]:
    """Return by position the fetched form of each URL that was given in another one."""
    return {number: url.fetch for number, url in enumerate(urls) if url.fetch != url.given}


def redacted(url: str) -> str:
    """Return a URL with passwords, signatures and tokens replaced by `…`.

    States, logs and reports contain URLs only in this form. Which parameters are secret is a guess by their names;
    the environment variable PREWARM_SECRET_PARAMETERS adds names.
    """
    url = USER_PART.sub("…@", url)
    if "=" not in url:
        return url
    kept, end = [], 0
    for name in PARAMETER.finditer(url):
        if name.start() < end:
            continue
        if not _is_secret(name[1]) and not _has_secret(FIRST_PART.match(url, name.end())[0]):  # type: ignore[index]
            continue
        stop = VALUE.match(url, name.end()).end()  # type: ignore[union-attr] # it also matches an empty value
        if stop > name.end():
            kept += [url[end : name.end()], "…"]
            end = stop
    return "".join([*kept, url[end:]])


def _has_secret(value: str) -> bool:
    """Return whether a value is an encoded URL or query with a secret of its own."""
    if "%3d" not in value.lower():
        return False
    return any(_is_secret(name[1]) for name in PARAMETER.finditer("?" + _decoded(value)))


def is_secret_name(name: str) -> bool:
    """Return whether a name, such as a header's, is that of a secret by the rules for query parameters."""
    return _is_secret(name)


@functools.lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    """Return whether a parameter's name, percent-encoded or not, is that of a secret."""
    decoded = _decoded(name).strip()
    lower = decoded.lower()
    if lower in SECRET_NAMES | _added_names() or lower.startswith(SIGNING_PREFIXES):
        return True
    words = [word.lower() for word in WORD_BREAK.split(decoded) if word] + [re.sub("[^a-z0-9]", "", lower)]
    return any(
        word in SECRET_WORDS or word.endswith("key") or any(part in word for part in SECRET_PARTS) for word in words
    )


def _decoded(text: str) -> str:
    """Return a text without percent-encoding, even if it was encoded several times."""
    for _ in range(DECODINGS):
        text = unquote(text)
    return text.replace("+", " ")


@functools.cache
def _added_names() -> frozenset[str]:
    """Return the names that the operator adds, in lower case."""
    names = os.environ.get("PREWARM_SECRET_PARAMETERS", "").split(",")
    return frozenset(name.strip().lower() for name in names if name.strip())
