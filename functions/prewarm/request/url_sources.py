"""Where a run's URLs come from beside `url_list`: lists in S3, sitemaps, manifests. The request's own models.

Each takes the short form of one string, which is its address.
"""

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from prewarm.request.url_parser import parse_url
from prewarm.urls import Url

# Bucket names: 3 to 63 lower-case letters, digits, dots and hyphens (S3 User Guide, "Bucket naming rules"); keys: up
# to 1,024 bytes ("Object key names").
S3_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)", re.ASCII | re.DOTALL)
LONGEST_KEY = 1024
# How many URLs one run takes in all: five hundred million targets through all POPs.
URLS_AT_MOST = 1_000_000


def s3_address(text: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://bucket/key` address.

    Raises:
        ValueError: it is none.

    """
    found = S3_ADDRESS.fullmatch(text)
    if found is None or len(found["key"].encode("utf-8", "replace")) > LONGEST_KEY:
        raise ValueError("is no address such as s3://bucket/lists/urls.txt")
    return found["bucket"], found["key"]


def _s3_list(text: str) -> str:
    s3_address(text)
    return text


def _url(text: str) -> str:
    parse_url(text)
    return text


S3List = Annotated[str, AfterValidator(_s3_list)]
Patterns = Annotated[list[Annotated[str, Field(min_length=1, max_length=2048)]], Field(max_length=100)]


class _Source(BaseModel):
    """A document that names URLs, fetched through CloudFront like everything else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    url: Annotated[str, AfterValidator(_url)]

    @model_validator(mode="before")
    @classmethod
    def _bare_address(cls, value: object) -> object:
        return {"url": value} if isinstance(value, str) else value

    @property
    def parsed(self) -> Url:
        """Return the document's URL in the form in which it is fetched."""
        return parse_url(self.url)


class SitemapSource(_Source):
    """A sitemap or an index of sitemaps, gzip or not.

    `include` and `exclude` are patterns of URL paths as in a cache behaviour (`*`: any characters, `?`: one), query
    included; of the URLs that some `include` matches (all, if there is none), those that no `exclude` matches are
    taken. `since` leaves out what was last modified before that day; what has no date stays in.
    """

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
        return dt.date.fromisoformat(value) if isinstance(value, str) else value


class ManifestSource(_Source):
    """An HLS or DASH manifest: it is warmed itself, with the renditions' playlists, segments, init segments and keys.

    `renditions`: the one of lowest bandwidth, or all; `max_segments`: only the first so many of each rendition.
    """

    renditions: Literal["lowest", "all"] = "all"
    max_segments: Annotated[int, Field(ge=1)] | None = None
