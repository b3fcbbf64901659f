"""Response model of the histogram of times to first byte."""

from pydantic import BaseModel

from api.schemas.costs import CAMEL_CASE


class TimeBar(BaseModel):
    """One bar: the times that are longer than `fromMs` and at most `toMs`, which is its double."""

    model_config = CAMEL_CASE

    from_ms: int
    to_ms: int
    count: int
