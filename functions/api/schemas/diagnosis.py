"""Response models of GET /diagnose."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.responses import ApiModel


class CheckResult(ApiModel):
    """One check of the deployment."""

    check: Annotated[str, Field(description="The check's name, such as pop_names.")]
    result: Literal["ok", "warning", "failure"]
    detail: Annotated[str, Field(description="What was observed.")]
    meaning: Annotated[str, Field(description="What it means.")]
    action: Annotated[str, Field(description="What to do; empty if nothing.")]
    seconds: float


class Diagnosis(ApiModel):
    """The checks that the service makes of its own deployment."""

    version: Annotated[str, Field(description="The service's version.")]
    time: Annotated[str, Field(description="The service's clock, in ISO 8601.")]
    state_machine_arn: str
    pops: Annotated[list[str], Field(description="POPs that responded, one of each continent first.")]
    checks: list[CheckResult]
