"""The request that a caller hands over: its fields, their limits, and every problem found before any work."""

import difflib
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
from prewarm.request.headers import header_problems
from prewarm.request.pop_selection import ALL, expand, places
from prewarm.request.url_sources import ManifestSource, S3List, SitemapSource
from prewarm.urls import Url, deduplicate, parse_url, redacted

DOMAIN_PATTERN = r"^[a-z0-9]+\.cloudfront\.net$"
# Sources of each kind in one request; each of them may be large in itself.
SOURCES_AT_MOST = 100
SOURCES = ("url_list", "url_list_s3", "sitemap", "manifest")

PERCENT_WARM = {"pop": 100.0, "country": 95.0, "region": 95.0}


class PrewarmRequest(BaseModel):
    """The body of POST /prewarm and the input of a direct execution; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    url_list: Annotated[list[str], Field(min_length=1)] | None = None
    url_list_s3: Annotated[list[S3List], Field(min_length=1, max_length=SOURCES_AT_MOST)] | None = None
    sitemap: Annotated[list[SitemapSource], Field(min_length=1, max_length=SOURCES_AT_MOST)] | None = None
    manifest: Annotated[list[ManifestSource], Field(min_length=1, max_length=SOURCES_AT_MOST)] | None = None
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
    invalidate: bool = False
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
        """Take one bare string for a list of one."""
        return [value] if isinstance(value, str) else value

    @field_validator("sitemap", "manifest", mode="before")
    @classmethod
    def _one_source_or_many(cls, value: object) -> object:
        """Take one address, or one source, for a list of one."""
        return [value] if isinstance(value, str | dict) else value

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
        """Return the type by which unreachable POPs are treated: `all` names no POP, so it is a region's."""
        everything = [name.strip().lower() for name in self.region] == [ALL]
        return "region" if everything else self.region_type

    @property
    def percent_needed(self) -> float:
        """Return how many percent of a URL's reachable targets must be warm: by default 100 for POPs, else 95."""
        return PERCENT_WARM[self.region_type] if self.min_warm_percent is None else self.min_warm_percent


@dataclass(frozen=True)
class CheckedRequest:
    """A request that will be carried out: its fields, its URLs once each, and the POPs that it means.

    `places`: the airport codes of the selection's locations in which no POP's id is known.
    """

    fields: PrewarmRequest
    urls: list[Url]
    pops: list[str]
    places: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the request as it is stored: the fields, with the URLs once each as they were given."""
        return self.fields.model_dump(mode="json", exclude_none=True) | (
            {"url_list": [url.given for url in self.urls]} if self.urls else {}
        )


def parse_json(body: str | bytes) -> Any:  # noqa: ANN401 - JSON is what it is
    """Read a JSON body.

    Raises:
        InvalidRequest: it is no JSON; says where.

    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest([Problem("", f"the body is not JSON: {error}")]) from error


def check_request(document: object, *, direct: bool = False, known: Catalogue | None = None) -> CheckedRequest:
    """Check a request as a whole and expand its selection.

    Args:
        document: the parsed JSON.
        direct: it is the input of an execution, which everybody sees who sees the console: secrets are refused.
        known: the catalogue; the shipped one by default.

    Raises:
        InvalidRequest: with every problem found, each naming its field.

    """
    if not isinstance(document, dict):
        raise InvalidRequest([Problem("", "the request must be a JSON object with url_list, region_type and region")])
    # The model cannot say it: with any other field missing, its checks of the whole do not run.
    sourceless = [] if any(document.get(name) is not None for name in SOURCES) else [_NO_SOURCE]
    try:
        fields = PrewarmRequest.model_validate(document)
    except ValidationError as error:
        beside = _problems_beside(document, error, known or catalogue())
        raise InvalidRequest(sourceless + _field_problems(error) + beside) from error
    if sourceless:
        raise InvalidRequest(sourceless)
    urls, problems = _checked_urls(fields.url_list or [])
    table = known or catalogue()
    pops, selection_problems = expand(
        fields.region_type, fields.region, table, allow_unknown_pops=fields.allow_unknown_pops
    )
    problems += selection_problems + header_problems(
        fields.headers, fields.accept_encodings, fields.user_agent, direct=direct
    )
    if problems:
        raise InvalidRequest(problems)
    return CheckedRequest(fields, urls, pops, places(fields.region_type, fields.region, table))


def _problems_beside(document: dict[str, Any], error: ValidationError, known: Catalogue) -> list[Problem]:
    """Return what is wrong with URLs and selection where only other fields have the wrong form."""
    wrong = {found["loc"][0] for found in error.errors(include_url=False) if found["loc"]}
    problems: list[Problem] = []
    urls = document.get("url_list")
    if isinstance(urls, list) and "url_list" not in wrong:
        problems += _checked_urls(urls)[1]
    kind, names = document.get("region_type", document.get("target_type")), document.get("region")
    if kind is not None and names is not None and not wrong & {"region", "region_type", "target_type"}:
        unknown = document.get("allow_unknown_pops") is True
        listed = [names] if isinstance(names, str) else names
        problems += expand(kind, listed, known, allow_unknown_pops=unknown)[1]
    return problems


def _checked_urls(texts: list[str]) -> tuple[list[Url], list[Problem]]:
    urls, problems = [], []
    for index, text in enumerate(texts):
        try:
            urls.append(parse_url(text))
        except ValueError as error:
            # A direct start's refusal is shown in the console.
            problems.append(Problem(f"url_list[{index}]", f"{truncate(redacted(text))!r} {error}"))
    return deduplicate(urls), problems


def _field_problems(error: ValidationError) -> list[Problem]:
    """Turn pydantic's findings into problems that name the field and the fix."""
    known = [*PrewarmRequest.model_fields, "target_type"]
    problems = []
    for found in error.errors(include_url=False):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found["loc"])
        field = truncate(path.removeprefix("."))
        message: str = found["msg"][:1].lower() + found["msg"][1:]
        near: tuple[str, ...] = ()
        if found["type"] == "extra_forbidden" and field in known:
            message = "is the old name of region_type; give one of the two"
        elif found["type"] == "extra_forbidden":
            message, near = "unknown field", tuple(difflib.get_close_matches(field, known, n=2))
        elif found["type"] == "missing":
            message = f"is missing; {_HINTS.get(field, 'give it')}"
        elif found["type"] in {"too_short", "string_too_short"}:
            message = f"is empty; {_HINTS[field]}" if field in _HINTS else "is empty"
        elif found["type"] in {"literal_error", "list_type", "string_pattern_mismatch"}:
            message = f"{message}; {_HINTS[field]}" if field in _HINTS else message
        problems.append(Problem(field, message, near))
    return problems


_HINTS = {
    "url_list": 'give a list of one or more URLs, such as ["https://www.example.com/index.html"]',
    "region_type": "give pop, country or region",
    "target_type": "give pop, country or region",
    "region": f'give a list of names such as ["apac", "eu"], one name, or "{ALL}"',
    "cf_domain": "give the distribution's domain, such as d111abcdef8.cloudfront.net",
}
_NO_SOURCE = Problem("url_list", f"is missing; {_HINTS['url_list']}, or url_list_s3, sitemap or manifest")
