"""Response models about the runs so far and about uploads: GET /runs, /urls and /request, POST /uploads."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.responses import ApiModel, RequestId

ListStatus = Literal["COMPLETED", "IN_PROGRESS", "TIMEOUT", "FAILED", "CANCELLED"]


class Run(ApiModel):
    """One run in the list.

    A run that an earlier version started has its names, status and times only; the other fields are null or empty.
    """

    request_id: RequestId
    run: str
    status: ListStatus
    started_at: str
    ended_at: str | None
    started_by: Annotated[
        str | None,
        Field(
            description="The API key's id, `iam` for a caller who invoked the API's function, or `direct` for a run "
            "that was started without the API."
        ),
    ]
    label: str | None
    hosts: Annotated[list[str], Field(description="The first 20 hosts of the run's URLs.")]
    host_count: int | None
    region_type: str | None
    region: Annotated[list[str], Field(description="The first ten names of the request's selection.")]
    locations: Annotated[list[str], Field(description="The airport codes of the POPs, once the run is planned.")]
    pops: int | None
    total: Annotated[int | None, Field(description="URLs; before the plan, those of url_list.")]
    warm: Annotated[int | None, Field(description="URLs that are warm, once the run has ended.")]
    failed: int | None
    targets: int | None
    dollars: Annotated[float | None, Field(description="The estimated cost, once the run has ended.")]
    dry_run: bool
    damaged: Annotated[
        bool, Field(description="Whether the run's item cannot be read; then the other fields are null or empty.")
    ] = False


class Runs(ApiModel):
    """Runs, newest first."""

    runs: list[Run]
    next_token: Annotated[
        str | None, Field(description="Valid for the same filters only; absent on the last page.")
    ] = None


class WarmedBy(ApiModel):
    """What one run did with a URL."""

    request_id: RequestId
    run: str
    label: str | None
    status: ListStatus
    started_at: str
    ended_at: str
    warm: bool
    warm_targets: int
    reachable_targets: int
    coverage: Annotated[float, Field(ge=0, le=100, description="Percentage of reachable targets that are warm.")]


class Looked(ApiModel):
    """How far the search for a URL went."""

    since: str
    days: int
    runs: Annotated[int, Field(description="Runs of the URL's host that were looked at, newest first; at most 100.")]
    without_index: Annotated[int, Field(description="How many of them have no results for single URLs.")]
    in_progress: Annotated[int, Field(description="How many of them have not ended.")]
    complete: Annotated[bool, Field(description="False if the host has more runs in this time.")]


class UrlHistory(ApiModel):
    """When a URL was last warmed, and whether it was warm."""

    url: str
    fetched: Annotated[str, Field(description="The form in which the URL is fetched, by which it is found.")]
    last: Annotated[WarmedBy | None, Field(description="The newest run that tried.")]
    last_warm: Annotated[WarmedBy | None, Field(description="The newest run after which it was warm.")]
    looked: Looked


class StoredRequest(ApiModel):
    """A run's request without its secrets."""

    request_id: RequestId
    run: str
    request: Annotated[dict[str, Any], Field(description="In the form of POST /prewarm, with a page of url_list.")]
    urls: Annotated[int, Field(description="The total number of entries in url_list.")]
    hidden: Annotated[list[str], Field(description="Fields with secrets, shown as `…`; the first 100.")]
    next_token: Annotated[str | None, Field(description="Token of the next page; absent on the last page.")] = None


class UploadRequest(BaseModel):
    """The body of POST /uploads, which may be empty."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str,
        Field(
            pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
            description="The file's name; its extension decides the format.",
        ),
    ] = "urls.txt"
    sha256: Annotated[
        str | None,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="The content's hash, which is checked; equal content then has the same address.",
        ),
    ] = None


class Upload(ApiModel):
    """A form upload of one list: POST `fields` and, last, `file` to `url` as multipart/form-data."""

    url: str
    fields: dict[str, str]
    address: Annotated[str, Field(description="The list's address, for url_list_s3.")]
    max_bytes: int
    expires_in_seconds: int
