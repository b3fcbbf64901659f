"""Structured logs with the run (and batch) in every line, and metrics in CloudWatch's embedded metric format.

Source of the format: CloudWatch User Guide, "Specification: Embedded metric format". Metrics have the dimension
`service`, which the template sets to the stack's name; it separates two stacks in one account.
"""

import os
from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

NAMESPACE = "CloudFrontPrewarm"
# Most values that one embedded metric may hold.
MAX_VALUES = 100

logger = Logger()
_metrics = Metrics(namespace=NAMESPACE)


def put_metrics(counts: Mapping[str, float], **more: tuple[MetricUnit, float]) -> None:
    """Emit metrics: plain counts, and other values with their unit."""
    for name, value in counts.items():
        _metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    for name, (unit, value) in more.items():
        _metrics.add_metric(name=name, unit=unit, value=value)
    _metrics.flush_metrics()


def put_outcomes(outcomes: Mapping[str, int]) -> None:
    """Emit the metric `Targets` with the dimension `outcome`."""
    service = {"service": os.environ.get("POWERTOOLS_SERVICE_NAME", "service_undefined")}
    for outcome, count in outcomes.items():
        with single_metric(
            name="Targets", unit=MetricUnit.Count, value=count, namespace=NAMESPACE, default_dimensions=service
        ) as metric:
            metric.add_dimension(name="outcome", value=outcome)


def put_times(name: str, milliseconds: Mapping[float, int]) -> None:
    """Emit a distribution of times, {milliseconds: count}.

    More than 100 values are sampled proportionally.
    """
    total = sum(milliseconds.values())
    if not total:
        return
    step = max(1.0, total / MAX_VALUES)
    reached, due = 0, step / 2
    for value, count in sorted(milliseconds.items()):
        reached += count
        while due < reached:
            _metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=value)
            due += step
    # Powertools flushes by itself at the hundredth value.
    if _metrics.metric_set:
        _metrics.flush_metrics()
