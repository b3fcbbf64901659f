"""What a worker logs of its part of a batch, and the metrics that it emits."""

from aws_lambda_powertools.metrics import MetricUnit

from prewarm.observability import logger, put_metrics, put_outcomes, put_times
from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import class_middle, unpack_pops
from warm.batch_life import BatchLife


def put_batch_metrics(result: BatchResult, life: BatchLife) -> None:
    """Log the part, and emit targets by outcome, fetches, bytes, times to first byte, and the times around."""
    sums = {"outcomes": result.outcomes, "bytes": result.bytes, "finished": result.finished}
    logger.info("warmed", extra=sums | life.as_log())
    put_outcomes(result.outcomes)
    fetches = sum(pop.fetches for pop in unpack_pops(result.per_pop))
    around: dict[str, tuple[MetricUnit, float]] = {}
    if life.to_first_fetch_ms is not None and life.to_stored_ms is not None:
        # A cold start has separate metrics: an average of both kinds would show neither.
        suffix = "Cold" if life.cold else ""
        around = {
            f"StartToFirstFetch{suffix}": (MetricUnit.Milliseconds, life.to_first_fetch_ms),
            f"LastResponseToStored{suffix}": (MetricUnit.Milliseconds, life.to_stored_ms),
        }
    put_metrics({"Fetches": fetches}, Bytes=(MetricUnit.Bytes, result.bytes), **around)
    put_times("TimeToFirstByte", {class_middle(number): count for number, count in result.times.items()})
