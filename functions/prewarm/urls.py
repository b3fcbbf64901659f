"""URLs of a run: the value type, deduplication, and redaction of secrets. Pure.

Kept free of the parser (prewarm.request.url_parser), which needs ada-url, so that the warm function and the base
command can import it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

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

    States, logs and reports contain URLs only in this form.
    """
    return SECRET_PARAMETER.sub(r"\1=…", USER_PART.sub("…@", url))
