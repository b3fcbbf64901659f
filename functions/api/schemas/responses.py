"""The answers of the API as models: what openapi.py describes, and what the tests hold each answer against.

The contract's own fields are `Status`'s first seven and `Started.requestID`; all others are additions.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

RequestId = Annotated[
    str, Field(alias="requestID", description="The run's execution ARN; readers also take the bare run name.")
]
Word = Literal["COMPLETED", "IN_PROGRESS", "TIMEOUT", "FAILED"]
Counts = dict[str, int]


class ApiModel(BaseModel):
    """What all answers share: no field that is not told of here."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Detail(ApiModel):
    """One thing wrong with a request."""

    field: Annotated[str, Field(description="The field's path, such as url_list[3]; empty for the whole.")]
    message: str
    near: list[str] = []


class Error(ApiModel):
    """What went wrong."""

    code: Annotated[str, Field(description="For machines, such as InvalidRequest or RunNotFound.")]
    message: Annotated[str, Field(description="For people: names the field and the fix.")]
    details: list[Detail]


class ErrorAnswer(ApiModel):
    """The shape of every error, API Gateway's own included."""

    error: Error


class Skipped(ApiModel):
    """A POP of a country or region that was left out."""

    pop: str
    reason: str
    detail: str


class Failure(ApiModel):
    """A failed URL with its evidence."""

    url: str
    reasons: Annotated[Counts, Field(description="How many targets came to each outcome that is not warm.")]
    coverage: Annotated[float, Field(ge=0, le=100, description="Per cent of the reachable targets that are warm.")]


class Targets(ApiModel):
    """A run's targets: URL x POP x variant."""

    total: int
    done: int
    outcomes: Counts
    verified: Annotated[int, Field(description="How many were proven by a Hit.")]
    layers: Annotated[Counts, Field(description="Who answered, where the distribution sends Server-Timing.")] = {}


class PopSums(ApiModel):
    """One POP's sums."""

    pop: str
    targets: int
    done: int
    warm: int
    failed: int
    fetches: int
    bytes: int
    mean_ms: Annotated[float | None, Field(description="Mean time to first byte in milliseconds.")]


class CostPart(ApiModel):
    """One part of the cost's formula."""

    name: str
    quantity: float
    unit: str
    unit_price: float
    dollars: float


class Cost(ApiModel):
    """What a run costs, estimated from what was measured."""

    dollars: float
    prices_of: Annotated[str, Field(description="The month of the prices.")]
    parts: list[CostPart]
    not_included: list[str]


class Remedy(ApiModel):
    """What helps a run that ended red."""

    kind: Literal["fix", "retry", "redrive"]
    how: str


class Started(ApiModel):
    """A run was started; or a dry run was told at once."""

    request_id: Annotated[str | None, Field(alias="requestID", description="The run's execution ARN.")] = None
    dry_run: dict[str, Any] | None = None


class Retried(ApiModel):
    """A new run of what failed was started."""

    request_id: RequestId
    retry_of: Annotated[str, Field(description="The requestID of the old run.")]
    urls: int


class Status(ApiModel):
    """How far a run is, or what it came to."""

    status: Word
    total: Annotated[int, Field(description="URLs of the run.")]
    completed: Annotated[int, Field(description="Warm and failed ones.")]
    in_progress: int
    failed_url: list[str]
    in_progress_url: list[str]
    success_url: list[str]
    request_id: RequestId
    run: str
    started_at: str | None
    ended_at: str | None
    console_url: str
    reason: str | None = None
    error: str | None = None
    cause: str | None = None
    remedy: Remedy | None = None
    failures: list[Failure] = []
    words: Annotated[dict[str, str], Field(description="The failures' outcomes in plain words.")] = {}
    skipped_pops: list[Skipped] = []
    targets: Targets | None = None
    bytes: int = 0
    warnings: list[str] = []
    cost: Cost | None = None
    pops: Annotated[list[PopSums] | None, Field(description="With include=pops.")] = None
    dry_run: dict[str, Any] | None = None
    next_token: Annotated[str | None, Field(description="Leads to the rest of the lists.")] = None


class Run(ApiModel):
    """One run of the list."""

    request_id: RequestId
    run: str
    status: Word
    started_at: str
    ended_at: str | None


class Runs(ApiModel):
    """Runs, newest first."""

    runs: list[Run]
    next_token: str | None = None


class ReportLink(ApiModel):
    """Where a report can be read without the API key, for a while."""

    request_id: RequestId
    run: str
    format: Literal["html", "json", "csv"]
    url: str
    expires_in_seconds: int


class Pop(ApiModel):
    """A POP of the catalogue."""

    id: str
    location: str
    city: str
    country: str
    latitude: float
    longitude: float
    price_class: str
    confidence: Literal["high", "medium", "low"]
    newest_seen: str


class Pops(ApiModel):
    """The catalogue of POPs, and how many POPs each name of a selection means."""

    pops: list[Pop]
    regions: Counts
    countries: Counts
    locations_without_pops: list[str]
    newest_seen: str
    edge_networks_of: str
    source: str
