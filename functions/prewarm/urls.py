"""URLs of a run: the value type, deduplication, and redaction of secrets. Pure.

Kept free of the parser (prewarm.request.url_parser), which needs ada-url, so that the warm function and the base
command can import it.
"""

import re
from dataclasses import dataclass

# Query parameters that carry a CloudFront signature (Developer Guide, "Using signed URLs"), an S3 one or a token.
SECRET_PARAMETER = re.compile(
    r"(?i)(?<=[?&])(Signature|Policy|Key-Pair-Id|Expires|X-Amz-[A-Za-z-]+|[a-z_-]*token|[a-z_-]*(?:key|secret)|sig|auth)"
    r"=[^&#]*"
)
# The user and password of a URL that is refused for them.
USER_PART = re.compile(r"(?<=//)[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Url:
    """One URL of a run: as the user gave it, as it is fetched, and its scheme and host."""

    given: str
    fetch: str
    scheme: str
    host: str


def deduplicate(urls: list[Url]) -> list[Url]:
    """Return the URLs without those that fetch the same, the first spelling of each kept, in order."""
    first: dict[str, Url] = {}
    for url in urls:
        first.setdefault(url.fetch, url)
    return list(first.values())


def redacted(url: str) -> str:
    """Return a URL as it may stand in states, logs and reports: passwords, signatures and tokens replaced by `…`."""
    return SECRET_PARAMETER.sub(r"\1=…", USER_PART.sub("…@", url))
