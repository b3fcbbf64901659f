"""The status of a run with failed URLs, as the service makes it from their counts by kind."""

from collections.abc import Mapping
from typing import Any

from api.http.pagination import UrlStatus
from prewarm.results.failures import Example, Kind
from prewarm.results.next_steps import next_steps, remedy_for
from tests.support.statuses import GOOD, status

RETRY = {"kind": "retry", "how": "POST /retry starts a new run of the failed URLs"}


def failed_status(kinds: Mapping[str, Mapping[str, int]], **more: Any) -> dict[str, Any]:
    """Return a status whose failed URLs have these counts by kind; the first kind of each is that of its example."""
    failures = []
    for url, counts in kinds.items():
        kind = Kind.of(next(iter(counts)))
        example = Example(
            1, "FRA56-P5", kind.outcome, int(kind.status or 0), "", "Zx9==" * bool(kind.status), kind.cause
        )
        entry = UrlStatus(
            url, "failed", {kind.outcome: sum(counts.values())}, 0.0, "", dict(counts), example, 1, everywhere=True
        )
        failures.append(entry.failure())
    steps = next_steps(kinds.items())
    fields = {
        "nextSteps": steps,
        "remedy": remedy_for(RETRY, steps),
        "failedEverywhere": len(failures),
        "error": "Prewarm.NotWarm",
    }
    counts = {"total": len(failures) + 1, "completed": len(failures) + 1}
    return status(failures=failures, failedUrl=list(kinds), successUrl=[GOOD], **counts, **fields) | more
