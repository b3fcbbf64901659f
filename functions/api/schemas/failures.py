"""Response models of failed URLs: what happened, an example, and what to do."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.schemas.costs import CAMEL_CASE

Counts = dict[str, int]


class FailureExample(BaseModel):
    """One failed target of a URL."""

    model_config = CAMEL_CASE

    pop: str
    outcome: str
    status: Annotated[int | None, Field(description="The HTTP status; null without a response.")]
    cause: Annotated[
        str | None,
        Field(
            description="Of a 5xx: `origin` (its own answer), `unreachable` (the edge could not connect to it), "
            "`slow` (it did not respond in time), `function` (one at the edge failed), `edge` (not known). Of "
            "`unproven` in a regional run: `unnamed` (no Server-Timing), `direct` (the regional edge cache is "
            "bypassed), `own_copies` (the POPs answered from their own copies), `single_pop` (no second POP), "
            "`cold` (no proof of the regional edge cache's copy)."
        ),
    ]
    x_cache: Annotated[str | None, Field(description="The X-Cache header.")]
    request_id: Annotated[str | None, Field(description="The x-amz-cf-id header.")]
    in_records: Annotated[bool, Field(description="Whether only the run's records have the request id.")]


class NextStep(BaseModel):
    """What to do about a failure."""

    model_config = CAMEL_CASE

    outcome: str
    do: Annotated[
        Literal["fix", "retry"], Field(description="`retry`: the same request can succeed later; `fix`: it cannot.")
    ]
    how: str
    link: Annotated[str, Field(description="The section of the documentation about the outcome.")]


class CountedStep(NextStep):
    """What to do about the failures of several URLs."""

    urls: Annotated[int, Field(description="Number of failed URLs whose main failure it is about.")]
    url: Annotated[str, Field(description="The first of these URLs; empty in runs of earlier versions.")] = ""


class FailureCounts(BaseModel):
    """A failed URL with reasons, statuses and coverage."""

    model_config = CAMEL_CASE

    url: str
    reasons: Annotated[Counts, Field(description="Number of targets per outcome that is not warm.")]
    coverage: Annotated[float, Field(ge=0, le=100, description="Percentage of reachable targets that are warm.")]
    everywhere: Annotated[
        bool, Field(description="Whether it was tried at all of its POPs and is not warm at any.")
    ] = False
    statuses: Annotated[
        Counts,
        Field(description="Number of failed targets per HTTP status; `none`: no response, `unknown`: not kept."),
    ] = {}
    example: Annotated[FailureExample | None, Field(description="One of the most frequent failures.")] = None


class Failure(FailureCounts):
    """A failed URL in a status."""

    what: Annotated[str, Field(description="What happened, as one sentence.")] = ""
    main_failure: Annotated[
        str | None, Field(description="The most frequent kind of failure, such as `404 Not Found`.")
    ] = None
    next_step: NextStep | None = None
