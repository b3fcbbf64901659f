"""The request: its fields and their limits; validation.py checks them."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
)

from prewarm.planning.plan import PAIRS
from prewarm.request.headers import check_accept_encoding, spelled_once
from prewarm.request.pop_selection import ALL
from prewarm.request.url_sources import ManifestSource, S3List, SitemapSource
from prewarm.urls import Url

DOMAIN_PATTERN = r"^[a-z0-9]+\.cloudfront\.net$"
# Most sources of each kind in one request; a single source may already be large.
MAX_SOURCES = 100
# Most characters of a label, which is a key of the list of runs (2,048 bytes at most) and a line of a page.
MAX_LABEL = 200
# The field of a stored request that a caller's request does not have.
DUPLICATES = "duplicates"
SOURCES = ("url_list", "url_list_s3", "sitemap", "manifest")

# The largest object that CloudFront caches, 50 GB (Developer Guide, "Quotas", "General quotas on distributions":
# "Maximum cacheable file size per HTTP GET response"; read 2026-11).
LARGEST_OBJECT = 50 * 1024**3
AcceptEncoding = Annotated[str, Field(max_length=256), AfterValidator(check_accept_encoding)]
PERCENT_WARM = {"pop": 100.0, "country": 95.0, "region": 95.0, PAIRS: 95.0}


class PrewarmRequest(BaseModel):
    """The body of POST /prewarm and the input of a direct execution.

    Unknown fields are rejected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    url_list: Annotated[list[str], Field(min_length=1)] | None = None
    url_list_s3: Annotated[list[S3List], Field(min_length=1, max_length=MAX_SOURCES)] | None = None
    sitemap: Annotated[list[SitemapSource], Field(min_length=1, max_length=MAX_SOURCES)] | None = None
    manifest: Annotated[list[ManifestSource], Field(min_length=1, max_length=MAX_SOURCES)] | None = None
    # Pairs of URL and POP (targets_csv.py) in place of URL sources and a region, which are required without them.
    targets_s3: S3List | None = None
    nearest: bool = False
    region_type: Annotated[
        Literal["pop", "country", "region"] | None,
        Field(validation_alias=AliasChoices("region_type", "target_type")),
    ] = None
    region: Annotated[list[str], Field(min_length=1)] = []
    cf_domain: Annotated[str, Field(pattern=DOMAIN_PATTERN)] | None = None

    # None: what browsers send (resolve/variants.py). Requests stored by earlier versions list "br, gzip".
    accept_encodings: Annotated[list[AcceptEncoding], Field(min_length=1, max_length=8)] | None = None
    headers: dict[str, str] = {}
    user_agent: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    invalidate: bool | Annotated[list[str], Field(min_length=1)] = False
    verify: Literal["none", "sample", "all"] = "sample"
    timeout_minutes: Annotated[int, Field(ge=1, le=1380)] = 300
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5
    max_rps: Annotated[float, Field(ge=0.1, le=1_000_000)] | None = None
    staged: bool = False
    tier: Literal["edge", "regional"] = "edge"
    fail_on: Literal["any", "none"] = "any"
    strict_sources: bool | None = None
    min_warm_percent: Annotated[float, Field(ge=0.01, le=100)] | None = None
    max_bytes: Annotated[int, Field(ge=1, le=LARGEST_OBJECT)] | None = None
    allow_unknown_pops: bool = False
    dry_run: bool = False
    label: Annotated[str, Field(min_length=1, max_length=MAX_LABEL)] | None = None

    @field_validator("region", "url_list_s3", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        """Convert one string to a list of one."""
        return [value] if isinstance(value, str) else value

    @field_validator("sitemap", "manifest", mode="before")
    @classmethod
    def _one_source_or_many(cls, value: object) -> object:
        """Convert one address or one source to a list of one."""
        return [value] if isinstance(value, str | dict) else value

    @field_validator("invalidate", mode="before")
    @classmethod
    def _flag_or_patterns(cls, value: object) -> object:
        """Convert one path pattern to a list of one; reject other types here, since a union reports two problems."""
        patterns = [value] if isinstance(value, str) and value.startswith("/") else value
        is_list = isinstance(patterns, list) and patterns and all(isinstance(each, str) for each in patterns)
        if not isinstance(value, bool) and not is_list:
            raise ValueError("must be true or false")
        return patterns

    @field_validator("label", mode="after")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        """Refuse control characters, line breaks, and characters that change the direction of the text after them."""
        if value is not None and (value != value.strip() or not value.isprintable()):
            raise ValueError("must be printable characters without a space at the beginning or end")
        return value

    @field_validator("accept_encodings", mode="after")
    @classmethod
    def _spelled_once(cls, value: list[str] | None) -> list[str] | None:
        """Keep one spelling of each value: each would be fetched, and CloudFront caches them as one."""
        return spelled_once(value) if value else value

    @field_validator("cf_domain", mode="before")
    @classmethod
    def _bare_domain(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("min_warm_percent", "max_rps", mode="before")
    @classmethod
    def _whole_number(cls, value: object) -> object:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @property
    def kind(self) -> str:
        """Return the type that decides how unreachable POPs are handled: PAIRS for pairs of URL and POP.

        `all` counts as a region.
        """
        if self.targets_s3:
            return PAIRS
        return "region" if self.selects_all else self.region_type or ""

    @property
    def selects_all(self) -> bool:
        """Return whether the request selects every POP."""
        return [name.strip().lower() for name in self.region] == [ALL]

    @property
    def invalidation_patterns(self) -> list[str]:
        """Return the path patterns to invalidate; empty if the URLs' own paths, or none, are invalidated."""
        return self.invalidate if isinstance(self.invalidate, list) else []

    @property
    def percent_needed(self) -> float:
        """Return the percentage of a URL's reachable targets that must be warm.

        The default is 100 for POPs, else 95.
        """
        default = PERCENT_WARM[PAIRS if self.targets_s3 else self.region_type or PAIRS]
        return default if self.min_warm_percent is None else self.min_warm_percent


@dataclass(frozen=True)
class CheckedRequest:
    """A valid request: fields, URLs without duplicates, ids of the selected POPs.

    `places`: the airport codes of the selected locations that have no known POP id; `duplicates`: how many entries of
    `url_list` were left out, since an earlier one has the same fetched form.
    """

    fields: PrewarmRequest
    urls: list[Url]
    pops: list[str]
    places: list[str] = field(default_factory=list)
    duplicates: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the request as it is stored, with the URLs as given; `stored_request` reads it."""
        document = self.fields.model_dump(mode="json", exclude_none=True)
        if not self.fields.region:
            del document["region"]
        if self.urls:
            document["url_list"] = [url.given for url in self.urls]
        return document | ({DUPLICATES: self.duplicates} if self.duplicates else {})
