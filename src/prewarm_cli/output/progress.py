"""A run's progress as one line: its phase, its URLs and its targets."""

from __future__ import annotations

from typing import Any

from prewarm.counted import count_of
from prewarm.results.outcome import WARM
from prewarm.results.target_texts import target_text
from prewarm_cli.output import times


def in_progress(status: dict[str, Any]) -> bool:
    """Return whether a run has not ended."""
    return bool(status["status"] == "IN_PROGRESS")


def state_of(status: dict[str, Any]) -> str:
    """Return a run's status, where CANCELLED differs from FAILED as in the list of runs."""
    return "CANCELLED" if status.get("reason") == "cancelled" else str(status["status"])


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


def progress_line(status: dict[str, Any], *, define: bool = True) -> str:
    """Return a status as one line; `define`: with what a target is."""
    doing = f", {phase}" if in_progress(status) and (phase := phase_text(status)) else ""
    parts = [_urls(status), _targets(status, define=define)]
    return f"{state_of(status)}{doing}: {' · '.join(filter(None, parts))}"


def _urls(status: dict[str, Any]) -> str:
    """Return how many URLs are done, and what is known of them."""
    completed, total, left = status["completed"], status["total"], status["inProgress"]
    failed, failing = failed_of(status), status.get("failing", 0)
    if failed is None:
        return f"{completed:,} of {count_of(total, 'URL')} done"
    warm = completed - failed
    if not left:
        return f"{warm:,} of {count_of(total, 'URL')} warm" + (f", {failed:,} failed" if failed else "")
    counts = {"warm": warm, "failed": failed, "failing": failing, "in progress": left - failing}
    split = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count or name == "warm")
    return f"{completed:,} of {count_of(total, 'URL')} done ({split})"


def _targets(status: dict[str, Any], *, define: bool) -> str:
    """Return how many targets are done, of an ended run how many are warm; nothing before the run has a plan."""
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
    return f"{done:,} of {count_of(total, 'target')}{what} done" + (f", {not_warm:,} not warm" if not_warm else "")


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
