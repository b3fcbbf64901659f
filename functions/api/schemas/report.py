"""The model of report.json; docs/report.schema.json is generated from it."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.costs import Cost
from api.schemas.failures import CountedStep, FailureCounts, FailureExample
from api.schemas.gain import Gain
from api.schemas.responses import ApiModel, Counts, PopSums, Skipped, SourceReport, Uncompressed
from api.schemas.times import TimeBar


class ReportFailure(FailureCounts):
    """A failed URL in a report."""

    index: int
    kinds: Annotated[
        Counts,
        Field(default_factory=dict, description="Failed targets per kind, such as server_error:502:unreachable."),
    ]
    warm: int
    reachable: int
    fetched: Annotated[
        str | None, Field(description="The form in which the URL is fetched, if it differs from the given one.")
    ] = None


class Region(ApiModel):
    """Totals of one of CloudFront's price regions."""

    region: str
    pops: int
    targets: int
    warm: int
    bytes: int
    mean_ms: float | None
    judged: Annotated[int, Field(description="Targets without URLs that failed everywhere.")] = 0


class ReportUrl(ApiModel):
    """One URL in a report."""

    url: str
    verdict: Literal["success", "failed"]
    warm: int
    reachable: int
    coverage: float
    reasons: Counts
    statuses: Annotated[Counts, Field(default_factory=dict, description="Number of failed targets per HTTP status.")]
    example: Annotated[FailureExample | None, Field(description="One of the most frequent failures.")] = None
    uncompressed: Annotated[int, Field(description="Number of POPs that served the URL uncompressed.")] = 0
    fetched: Annotated[
        str | None, Field(description="The form in which the URL is fetched, if it differs from the given one.")
    ] = None


class Report(ApiModel):
    """report.json: the result of a run."""

    version: Literal[1]
    redrives: Annotated[int, Field(description="Number of redrives of the execution before this report.")]
    run: str
    label: Annotated[str, Field(description="The request's label; empty if it had none.")] = ""
    execution_status: Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
    warm: bool
    started_at: Annotated[float, Field(description="Epoch seconds.")]
    ended_at: float
    total: int
    success: int
    failed: int
    bytes: int
    failed_everywhere: Annotated[int, Field(description="Number of URLs that failed at all of their POPs.")] = 0
    next_steps: Annotated[
        list[CountedStep],
        Field(default_factory=list, description="What to do about the failures, the step for most URLs first."),
    ]
    page: Annotated[str, Field(description="The address of the run's page; empty if it is not known.")] = ""
    variants: Annotated[int, Field(description="Number of variants of each URL; 0 if unknown.")] = 0
    pops_per_url: Annotated[int | None, Field(description="POPs per URL; null if URLs differ in it.")] = None
    failures: list[ReportFailure]
    unfinished_as: Annotated[str, Field(description="The outcome of unfinished targets.")]
    targets: int
    targets_done: int
    outcomes: Counts
    verified: int
    verified_in_pop: Annotated[int, Field(description="Proofs that name the POP's own cache layer.")] = 0
    verified_elsewhere: Annotated[int, Field(description="Proofs at an address other than the one that fetched.")] = 0
    addresses: Annotated[int, Field(description="Number of addresses of the run's POPs.")] = 0
    addresses_proven: Annotated[int, Field(description="How many of them have a proven copy.")] = 0
    separate_pops: Annotated[
        list[str], Field(default_factory=list, description="POPs whose addresses have separate caches.")
    ]
    uncompressed_urls: Annotated[int, Field(description="Number of URLs that POPs served uncompressed.")] = 0
    uncompressed: Annotated[list[Uncompressed], Field(default_factory=list, description="The first 100 of them.")]
    layers: Counts
    skipped_pops: list[Skipped]
    skipped_text: Annotated[str, Field(description="Text with their number among the selected POPs.")] = ""
    mostly_skipped: Annotated[str, Field(description="Which sources were mostly skipped; empty if none was.")] = ""
    sources: Annotated[list[SourceReport], Field(default_factory=list)]
    duplicates: Annotated[int, Field(description="Number of entries left out as another spelling of a URL.")] = 0
    respelled: Annotated[
        int, Field(description="Number of URLs that are fetched in a form other than the given one.")
    ] = 0
    warnings: list[str]
    fetches: int
    time_to_first_byte_ms: dict[str, float] | None
    times_to_first_byte: Annotated[
        list[TimeBar], Field(default_factory=list, description="Their histogram, a bar per doubling.")
    ]
    gain: Annotated[Gain | None, Field(description="What first viewers were spared; absent if not counted.")] = None
    pops: list[PopSums]
    regions: list[Region]
    cost: Cost
    error: str | None = None
    cause: str | None = None
    success_targets: Annotated[
        list[list[int]],
        Field(default_factory=list, description="Of the warm URLs: [warm targets, reachable ones, number of URLs]."),
    ]
    urls: list[ReportUrl]
