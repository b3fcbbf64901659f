"""The metrics that a worker emits for its part of a batch."""

from aws_lambda_powertools.metrics import MetricUnit

from prewarm.observability import put_metrics, put_outcomes, put_times
from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import class_middle, unpack_pops


def put_batch_metrics(result: BatchResult) -> None:
    """Emit targets by outcome, fetches, bytes, and times to first byte."""
    put_outcomes(result.outcomes)
    fetches = sum(pop.fetches for pop in unpack_pops(result.per_pop))
    put_metrics({"Fetches": fetches}, Bytes=(MetricUnit.Bytes, result.bytes))
    put_times("TimeToFirstByte", {class_middle(number): count for number, count in result.times.items()})
