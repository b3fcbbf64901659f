"""The request: its fields, their limits, and the validation that reports all problems at once."""

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from prewarm.catalogue import Catalogue, catalogue
from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.field_problems import NO_SOURCE, field_problems
from prewarm.request.headers import header_problems
from prewarm.request.invalidation_patterns import pattern_problems
from prewarm.request.pop_selection import ALL, expand, places
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import ManifestSource, S3List, SitemapSource
from prewarm.urls import Url, deduplicate, redacted

DOMAIN_PATTERN = r"^[a-z0-9]+\.cloudfront\.net$"
# Most sources of each kind in one request; a single source may already be large.
MAX_SOURCES = 100
SOURCES = ("url_list", "url_list_s3", "sitemap", "manifest")

PERCENT_WARM = {"pop": 100.0, "country": 95.0, "region": 95.0}


class PrewarmRequest(BaseModel):
    """The body of POST /prewarm and the input of a direct execution.

    Unknown fields are rejected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    url_list: Annotated[list[str], Field(min_length=1)] | None = None
    url_list_s3: Annotated[list[S3List], Field(min_length=1, max_length=MAX_SOURCES)] | None = None
    sitemap: Annotated[list[SitemapSource], Field(min_length=1, max_length=MAX_SOURCES)] | None = None
    manifest: Annotated[list[ManifestSource], Field(min_length=1, max_length=MAX_SOURCES)] | None = None
    region_type: Annotated[
        Literal["pop", "country", "region"],
        Field(validation_alias=AliasChoices("region_type", "target_type")),
    ]
    region: Annotated[list[str], Field(min_length=1)]
    cf_domain: Annotated[str, Field(pattern=DOMAIN_PATTERN)] | None = None

    # Browsers send `gzip, deflate, br, zstd`; CloudFront normalises it to br and gzip (Developer Guide,
    # "Serving compressed files").
    accept_encodings: Annotated[list[str], Field(min_length=1, max_length=8)] = ["br, gzip"]
    headers: dict[str, str] = {}
    user_agent: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    invalidate: bool | Annotated[list[str], Field(min_length=1)] = False
    verify: Literal["none", "sample", "all"] = "sample"
    timeout_minutes: Annotated[int, Field(ge=1, le=1380)] = 300
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5
    max_rps: Annotated[float, Field(ge=0.1, le=1_000_000)] | None = None
    staged: bool = False
    fail_on: Literal["any", "none"] = "any"
    min_warm_percent: Annotated[float, Field(gt=0, le=100)] | None = None
    max_bytes: Annotated[int, Field(ge=1)] | None = None
    allow_unknown_pops: bool = False
    dry_run: bool = False

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
        """Return the type that decides how unreachable POPs are handled.

        `all` counts as a region.
        """
        everything = [name.strip().lower() for name in self.region] == [ALL]
        return "region" if everything else self.region_type

    @property
    def invalidation_patterns(self) -> list[str]:
        """Return the path patterns to invalidate; empty if the URLs' own paths, or none, are invalidated."""
        return self.invalidate if isinstance(self.invalidate, list) else []

    @property
    def percent_needed(self) -> float:
        """Return the percentage of a URL's reachable targets that must be warm.

        The default is 100 for POPs, else 95.
        """
        return PERCENT_WARM[self.region_type] if self.min_warm_percent is None else self.min_warm_percent


@dataclass(frozen=True)
class CheckedRequest:
    """A valid request: fields, URLs without duplicates, ids of the selected POPs.

    `places`: the airport codes of the selected locations that have no known POP id.
    """

    fields: PrewarmRequest
    urls: list[Url]
    pops: list[str]
    places: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the request as it is stored, with the original URLs."""
        return self.fields.model_dump(mode="json", exclude_none=True) | (
            {"url_list": [url.given for url in self.urls]} if self.urls else {}
        )


def parse_json(body: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Parse a JSON body.

    Raises:
        InvalidRequest: the body is not JSON; the message contains the position.

    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest([Problem("", f"the body is not JSON: {error}")]) from error


def check_request(
    document: object, *, direct: bool = False, pop_catalogue: Catalogue | None = None
) -> CheckedRequest:
    """Validate a request and expand its POP selection.

    Args:
        document: the parsed JSON.
        direct: whether it is the input of an execution, which the console displays; then secrets are rejected.
        pop_catalogue: the POPs to select from; by default the shipped catalogue.

    Raises:
        InvalidRequest: lists all problems, each with its field.

    """
    if not isinstance(document, dict):
        raise InvalidRequest([Problem("", "the request must be a JSON object with url_list, region_type and region")])
    # Checked outside of the model, whose own whole-model checks do not run when a field is missing.
    no_source = [] if any(document.get(name) is not None for name in SOURCES) else [NO_SOURCE]
    try:
        fields = PrewarmRequest.model_validate(document)
    except ValidationError as error:
        others = _problems_of_valid_fields(document, error, pop_catalogue or catalogue())
        raise InvalidRequest(no_source + field_problems(error, PrewarmRequest) + others) from error
    if no_source:
        raise InvalidRequest(no_source)
    urls, problems = _checked_urls(fields.url_list or [])
    pop_catalogue = pop_catalogue or catalogue()
    pops, selection_problems = expand(
        fields.region_type, fields.region, pop_catalogue, allow_unknown_pops=fields.allow_unknown_pops
    )
    problems += selection_problems + header_problems(
        fields.headers, fields.accept_encodings, fields.user_agent, direct=direct
    )
    problems += pattern_problems(fields.invalidate)
    if problems:
        raise InvalidRequest(problems)
    return CheckedRequest(fields, urls, pops, places(fields.region_type, fields.region, pop_catalogue))


def _problems_of_valid_fields(
    document: dict[str, Any], error: ValidationError, pop_catalogue: Catalogue
) -> list[Problem]:
    """Return the problems of URLs and POP names in well-formed fields."""
    invalid = {entry["loc"][0] for entry in error.errors(include_url=False) if entry["loc"]}
    problems: list[Problem] = []
    urls = document.get("url_list")
    if isinstance(urls, list) and "url_list" not in invalid:
        problems += _checked_urls(urls)[1]
    problems += pattern_problems(document.get("invalidate"))
    kind, names = document.get("region_type", document.get("target_type")), document.get("region")
    if kind is not None and names is not None and not invalid & {"region", "region_type", "target_type"}:
        allow_unknown_pops = document.get("allow_unknown_pops") is True
        listed = [names] if isinstance(names, str) else names
        problems += expand(kind, listed, pop_catalogue, allow_unknown_pops=allow_unknown_pops)[1]
    return problems


def _checked_urls(texts: list[str]) -> tuple[list[Url], list[Problem]]:
    urls, problems = [], []
    for index, text in enumerate(texts):
        try:
            urls.append(parse_url(text))
        except ValueError as error:
            # Redacted, because the console displays why a direct start was rejected.
            problems.append(Problem(f"url_list[{index}]", f"{truncate(redacted(text))!r} {error}"))
    return deduplicate(urls), problems
