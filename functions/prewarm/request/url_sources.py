"""Request models of the URL sources other than `url_list`: lists in S3, sitemaps, manifests.

Each source also has a short form: one string, its address.
"""

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from prewarm.request.path_pattern import check_pattern
from prewarm.request.url_parser import parse_url
from prewarm.urls import Url

# Bucket names: 3 to 63 lower-case letters, digits, dots and hyphens (S3 User Guide, "Bucket naming rules"); keys: up
# to 1,024 bytes ("Object key names").
S3_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)", re.ASCII | re.DOTALL)
LONGEST_KEY = 1024
S3_SCHEME = "s3://"
# Most URLs of one run, from all sources: five hundred million targets through all POPs.
URLS_AT_MOST = 1_000_000
# The largest list in S3: a million URLs of 250 bytes.
LIST_BYTES = 256 * 1024 * 1024
# The prefixes of lists in the service's own bucket: what its owner puts there, and what callers upload. The bucket's
# other objects belong to runs.
OWN_LISTS, UPLOADS = "lists/", "uploads/"


def s3_address(text: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://bucket/key` address.

    Raises:
        ValueError: the text is not such an address.

    """
    match = S3_ADDRESS.fullmatch(text)
    if match is None or len(match["key"].encode("utf-8", "replace")) > LONGEST_KEY:
        raise ValueError("is not an S3 address (expected a value such as s3://bucket/lists/urls.txt)")
    return match["bucket"], match["key"]


def _s3_list(text: str) -> str:
    s3_address(text)
    return text


def _url(text: str) -> str:
    parse_url(text)
    return text


def _url_or_s3(text: str) -> str:
    return _s3_list(text) if text.startswith(S3_SCHEME) else _url(text)


S3List = Annotated[str, AfterValidator(_s3_list)]
Pattern = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(check_pattern)]
Patterns = Annotated[list[Pattern], Field(max_length=100)]


class _Source(BaseModel):
    """A document that lists URLs; it is fetched through CloudFront like any URL."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    url: Annotated[str, AfterValidator(_url)]

    @model_validator(mode="before")
    @classmethod
    def _bare_address(cls, value: object) -> object:
        return {"url": value} if isinstance(value, str) else value

    @property
    def parsed(self) -> Url:
        """Return the document's parsed URL; the host of an address in S3 is its bucket."""
        if self.url.startswith(S3_SCHEME):
            return Url(self.url, self.url, "s3", s3_address(self.url)[0])
        return parse_url(self.url)


class SitemapSource(_Source):
    """A sitemap or a sitemap index, gzipped or plain.

    `url` may also be an `s3://bucket/key` address in a bucket that lists may be read from.

    `include` and `exclude` are path patterns as in a cache behaviour (`*`: any characters, `?`: one character),
    matched against path and query string. A URL is used if it matches an `include` pattern (or there are none) and no
    `exclude` pattern. `since` skips URLs last modified before that day; URLs without a date are used.
    """

    url: Annotated[str, AfterValidator(_url_or_s3)]
    include: Patterns = []
    exclude: Patterns = []
    since: dt.date | None = None

    @field_validator("include", "exclude", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("since", mode="before")
    @classmethod
    def _date(cls, value: object) -> object:
        try:
            return dt.date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValueError("is not a date (expected a value such as 2026-05-01)") from error


class ManifestSource(_Source):
    """An HLS or DASH manifest.

    The manifest, its playlists, segments, init segments and keys are warmed.

    `renditions`: all renditions, or the one with the lowest bandwidth; `max_segments`: use only the first segments of
    each rendition, up to this number.
    """

    renditions: Literal["lowest", "all"] = "all"
    max_segments: Annotated[int, Field(ge=1)] | None = None
