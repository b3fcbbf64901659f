"""Response models of what a run costs (docs/cost.md)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

# Names as in JSON, and no undeclared fields.
CAMEL_CASE = ConfigDict(extra="forbid", alias_generator=to_camel)


class CostPart(BaseModel):
    """One part of the cost formula."""

    model_config = CAMEL_CASE

    name: str
    quantity: float
    unit: str
    unit_price: float
    dollars: float


class CostEstimate(BaseModel):
    """What a run was estimated to cost before it began, and the same figures as they were measured."""

    model_config = CAMEL_CASE

    dollars: float
    fetches: int
    without_transfer: Annotated[bool, Field(description="Sizes are unknown before a run, unless it is a dry run.")]
    measured_dollars: Annotated[float, Field(description="Without transfer too.")]
    measured_fetches: int


class Cost(BaseModel):
    """The estimated cost of a run, based on measured usage."""

    model_config = CAMEL_CASE

    dollars: float
    prices_of: Annotated[str, Field(description="The month of the prices.")]
    parts: list[CostPart]
    not_included: list[str]
    estimate: Annotated[CostEstimate | None, Field(description="Absent for dry runs and older runs.")] = None
