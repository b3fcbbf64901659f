"""A run's progress as one line: its phase, its URLs and its targets."""

from __future__ import annotations

from typing import Any

from prewarm.counted import count_of
from prewarm.results.outcome import WARM
from prewarm.results.run_texts import FAILING, FAILING_MEANS, not_warm_word, shown_state
from prewarm.results.target_texts import target_text
from prewarm_cli.output import times


def in_progress(status: dict[str, Any]) -> bool:
    """Return whether a run has not ended."""
    return bool(status["status"] == "IN_PROGRESS")


def state_of(status: dict[str, Any]) -> str:
    """Return a run's status as in the list of runs: CANCELLED differs from FAILED, NOT WARM from COMPLETED."""
    state = "CANCELLED" if status.get("reason") == "cancelled" else str(status["status"])
    return shown_state(state, failed_of(status))


def targets_of(status: dict[str, Any]) -> tuple[int, int]:
    """Return how many targets are done and how many there are; both 0 before the run has a plan."""
    targets = status.get("targets") or {}
    return int(targets.get("done", 0)), int(targets.get("total", 0))


def failed_of(status: dict[str, Any]) -> int | None:
    """Return how many URLs have failed; None for a page of an older service, which has only a part of its lists."""
    if (failed := status.get("failed")) is not None:
        return int(failed)
    return None if "nextToken" in status else len(status["failedUrl"])


def not_warm_so_far(status: dict[str, Any]) -> tuple[int, int]:
    """Return how many URLs have failed or cannot become warm any more, and how many targets are not warm."""
    failed = failed_of(status) or 0
    outcomes = (status.get("targets") or {}).get("outcomes") or {}
    return failed + status.get("failing", 0), sum(count for name, count in outcomes.items() if name not in WARM)


def progress_line(status: dict[str, Any], *, define: bool = True, explain: bool = True) -> str:
    """Return a status as one line; `define`: with what a target is, `explain`: with what "failing" means."""
    parts = [_urls(status, explain=explain), _targets(status, define=define)]
    return f"{state_of(status)}{_doing(status)}: {' · '.join(filter(None, parts))}"


def _doing(status: dict[str, Any]) -> str:
    """Return what a run is doing, or of an ended one how long it took; older services may not say."""
    if in_progress(status):
        return f", {phase}" if (phase := phase_text(status)) else ""
    first, last = times.parse(status.get("startedAt")), times.parse(status.get("endedAt"))
    return f" after {times.duration((last - first).total_seconds())}" if first and last else ""


def _urls(status: dict[str, Any], *, explain: bool) -> str:
    """Return how many URLs are warm, and what is known of the others."""
    completed, total, left = status["completed"], status["total"], status["inProgress"]
    failed, failing = failed_of(status), status.get("failing", 0)
    if failed is None:
        return f"{completed:,} of {count_of(total, 'URL')} finished"
    failed_word = "failed" if in_progress(status) else not_warm_word(state_of(status))
    meaning = f" ({FAILING_MEANS})" if explain else ""
    others = {failed_word: failed, FAILING + meaning: failing, "in progress": left - failing}
    known = [f"{count:,} {name}" for name, count in others.items() if count]
    return ", ".join([f"{completed - failed:,} of {count_of(total, 'URL')} warm", *known])


def _targets(status: dict[str, Any], *, define: bool) -> str:
    """Return how many targets were tried, of an ended run how many are warm; nothing before the run has a plan."""
    done, total = targets_of(status)
    if not total:
        return ""
    targets = status.get("targets") or {}
    what = f" ({target_text(total, targets.get('popsPerUrl'), targets.get('variants', 0))})" if define else ""
    _, not_warm = not_warm_so_far(status)
    # Services of an earlier version have no outcomes.
    if not in_progress(status) and targets.get("outcomes"):
        warm = sum(targets["outcomes"].values()) - not_warm
        return f"{warm:,} of {count_of(total, 'target')}{what} warm"
    return f"{done:,} of {count_of(total, 'target')}{what} tried" + (
        f", {not_warm:,} of them not warm" if not_warm else ""
    )


def phase_text(status: dict[str, Any]) -> str:
    """Return what a run is doing, with counts and the time left where the service returns them; else ""."""
    phase = status.get("phase") or {}
    name = str(phase.get("name") or "").replace("_", " ")
    if name == "warming" and (phase.get("stages") or 1) > 1:
        name += f" stage {phase.get('stage')} of {phase['stages']}"
    elif name == "invalidating" and phase.get("total"):
        name += f" {phase.get('done') or 0:,} of {phase['total']:,}"
    left = phase.get("secondsLeft")
    return f"{name}, about {times.duration(left)} left" if name and left else name
