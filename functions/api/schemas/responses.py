"""Response models of the API: the OpenAPI document and the tests are based on them.

The fields of the fixed contract are the first seven of `Status` and `Started.requestID`; all others are additions.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.costs import CAMEL_CASE, Cost
from api.schemas.failures import CountedStep, Failure
from api.schemas.gain import Gain
from api.schemas.times import TimeBar

RequestId = Annotated[
    str, Field(alias="requestID", description="The run's execution ARN; requests also accept the bare run name.")
]
RunStatus = Literal["COMPLETED", "IN_PROGRESS", "TIMEOUT", "FAILED"]
Counts = dict[str, int]


class ApiModel(BaseModel):
    """Base class of the response models: camelCase names, no undeclared fields."""

    model_config = CAMEL_CASE


class Detail(ApiModel):
    """One problem of a request."""

    field: Annotated[str, Field(description="The field's path, such as url_list[3]; empty for the whole request.")]
    message: str
    near: Annotated[list[str], Field(description="Similar valid names.")] = []


class Error(ApiModel):
    """An error."""

    code: Annotated[str, Field(description="Machine-readable code, such as InvalidRequest or RunNotFound.")]
    message: Annotated[str, Field(description="Readable message with the field and the fix.")]
    details: list[Detail]


class ErrorResponse(ApiModel):
    """The shape of every error, including API Gateway's own."""

    error: Error


class Skipped(ApiModel):
    """A POP of a country or region that was skipped."""

    pop: str
    reason: str
    detail: str


class LeftOut(ApiModel):
    """Entries of a source that the run does not warm."""

    reason: str
    count: int
    skipped: Annotated[bool, Field(description="False: the request chose so, or warming does not need them.")]
    examples: list[str]


class ReadDocument(ApiModel):
    """A sitemap, manifest or playlist that a run read, or a redirect on the way to it."""

    url: str
    x_cache: Annotated[str, Field(description="The X-Cache header; empty for documents in S3.")]
    age: Annotated[int | None, Field(description="The Age header in seconds; null if there was none.")]
    origin: Annotated[
        str,
        Field(
            description="`origin`: it left the origin during the run; `invalidated`: the run invalidated it before; "
            "`cache`: it may be older than the site; `s3`."
        ),
    ]


class SourceReport(ApiModel):
    """What a run took from a sitemap or manifest, and what it left out."""

    source: Annotated[str, Field(description="The request's field, such as sitemap[0].")]
    address: str
    urls: Annotated[int, Field(description="URLs that the source gives to the run.")]
    skipped: Annotated[int, Field(description="Entries that cannot be warmed.")]
    parts: Annotated[int, Field(description="The files of an index, the playlists or Representations of a manifest.")]
    parts_skipped: int
    left_out: list[LeftOut]
    documents_read: Annotated[int, Field(description="Documents that were read, with redirects.")] = 0
    documents_from_cache: Annotated[int, Field(description="How many of them may be older than the site.")] = 0
    documents: Annotated[
        list[ReadDocument],
        Field(default_factory=list, description="The documents, at most 500 per run, those from a cache first."),
    ]


class Uncompressed(ApiModel):
    """A URL that POPs served without the compression that was expected."""

    url: str
    pops: Annotated[int, Field(description="Number of such POPs.")]
    examples: list[str]


class Targets(ApiModel):
    """A run's targets: URL x POP x variant."""

    total: int
    done: int
    pops_per_url: Annotated[int | None, Field(description="POPs per URL; null if URLs differ in it.")] = None
    variants: Annotated[int, Field(description="Number of variants of each URL; 0 if unknown.")] = 0
    outcomes: Counts
    verified: Annotated[int, Field(description="Number of targets verified by a cache hit.")]
    verified_in_pop: Annotated[
        int, Field(description="How many of these hits name the POP's own cache layer (Server-Timing).")
    ] = 0
    verified_elsewhere: Annotated[int, Field(description="Hits at an address other than the one that fetched.")] = 0
    addresses: Annotated[int, Field(description="Number of addresses of the run's POPs.")] = 0
    addresses_proven: Annotated[int, Field(description="How many of them have a proven copy.")] = 0
    separate_pops: Annotated[list[str], Field(description="POPs whose addresses have separate caches.")] = []
    layers: Annotated[Counts, Field(description="Responses per cache layer, if Server-Timing is enabled.")] = {}


class PopSums(ApiModel):
    """Totals of one POP."""

    pop: str
    targets: int
    done: int
    warm: int
    failed: int
    fetches: int
    bytes: int
    mean_ms: Annotated[float | None, Field(description="Mean time to first byte in milliseconds.")]
    judged: Annotated[
        int, Field(description="The POP's targets, without URLs that failed everywhere; 0: not judged.")
    ] = 0
    judged_failed: Annotated[int, Field(description="How many of the judged targets failed.")] = 0
    differs: Annotated[bool, Field(description="Whether the POP is less warm than the others.")] = False


class Remedy(ApiModel):
    """The recommended action after a failed run."""

    kind: Literal["fix", "retry", "redrive"]
    how: str
    link: Annotated[str | None, Field(description="The documentation about the main failure.")] = None


class Phase(ApiModel):
    """What a run is doing."""

    name: Literal["resolving", "invalidating", "warming", "summing_up", "ended"]
    round: Annotated[int | None, Field(description="Invalidation round: 3,000 paths per distribution.")] = None
    rounds: int | None = None
    stage: int | None = None
    stages: int | None = None
    done: Annotated[int | None, Field(description="Completed invalidations, or batches of the stage.")] = None
    total: int | None = None
    seconds_left: Annotated[
        int | None, Field(description="Estimated from the finished targets; absent if that is not possible.")
    ] = None


class Started(ApiModel):
    """The started run, or the result of a dry run."""

    request_id: Annotated[str | None, Field(alias="requestID", description="The run's execution ARN.")] = None
    dry_run: dict[str, Any] | None = None


class Retried(ApiModel):
    """The new run of the failed URLs."""

    request_id: RequestId
    retry_of: Annotated[str, Field(description="The requestID of the old run.")]
    urls: int


class Status(ApiModel):
    """A run's progress or result."""

    status: RunStatus
    total: Annotated[int, Field(description="Number of URLs in the run.")]
    completed: Annotated[int, Field(description="Number of warm and failed URLs.")]
    in_progress: int
    failed_url: list[str]
    in_progress_url: list[str]
    success_url: list[str]
    request_id: RequestId
    run: str
    started_at: str | None
    ended_at: str | None
    console_url: Annotated[str | None, Field(description="Absent if the service runs on the user's machine.")] = None
    phase: Phase
    label: Annotated[str | None, Field(description="The request's label.")] = None
    partial: Annotated[
        bool, Field(description="Whether finished batches are left to the next poll, as they are too many to read.")
    ] = False
    reason: str | None = None
    error: str | None = None
    cause: str | None = None
    remedy: Remedy | None = None
    failures: list[Failure] = []
    success_targets: Annotated[
        list[list[int]],
        Field(description="Of successUrl, in order: [warm targets, reachable targets, number of URLs]."),
    ] = []
    words: Annotated[dict[str, str], Field(description="Explanations of the failures' outcomes.")] = {}
    failed: Annotated[int | None, Field(description="Number of failed URLs of the whole run.")] = None
    failing: Annotated[int, Field(description="URLs in progress that failed at too many POPs to become warm.")] = 0
    failed_everywhere: Annotated[int, Field(description="Number of URLs that failed at all of their POPs.")] = 0
    next_steps: Annotated[
        list[CountedStep], Field(description="What to do about the run's failures, the step for most URLs first.")
    ] = []
    skipped_pops: list[Skipped] = []
    skipped_text: Annotated[str, Field(description="Text with their number among the selected POPs.")] = ""
    targets: Targets | None = None
    bytes: int = 0
    fetched: Annotated[
        dict[str, str],
        Field(description="By URL as given: the form in which it is fetched, where that differs."),
    ] = {}
    duplicates: Annotated[
        int, Field(description="Number of entries that were left out as another spelling of a URL.")
    ] = 0
    uncompressed_urls: Annotated[
        int, Field(description="Number of URLs that POPs served without the compression that was expected.")
    ] = 0
    uncompressed: Annotated[list[Uncompressed], Field(description="The first 100 of them.")] = []
    warnings: list[str] = []
    mostly_skipped: Annotated[
        str, Field(description="Which sources were mostly skipped, to be shown first; empty if none was.")
    ] = ""
    sources: list[SourceReport] = []
    cost: Cost | None = None
    gain: Annotated[
        Gain | None,
        Field(description="What first viewers were spared; of a run in progress with include=pops."),
    ] = None
    pops: Annotated[list[PopSums] | None, Field(description="With include=pops.")] = None
    time_to_first_byte_ms: Annotated[dict[str, float] | None, Field(description="p50, p90, p99; include=pops.")] = (
        None
    )
    times_to_first_byte: Annotated[list[TimeBar], Field(description="Their histogram; include=pops.")] = []
    dry_run: dict[str, Any] | None = None
    next_token: Annotated[str | None, Field(description="Token of the next page; absent on the last page.")] = None


class ReportLink(ApiModel):
    """A temporary link to a report, which requires no API key."""

    request_id: RequestId
    run: str
    format: Literal["html", "json", "csv"]
    url: str
    expires_in_seconds: int
