"""The trial runs of `prewarm doctor`: start them, watch them, cancel one, and download a report."""

from __future__ import annotations

import io
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prewarm.diagnosis import Check, Row, Texts
from prewarm_cli.api_client import Client, new_idempotency_key
from prewarm_cli.doctor import judging
from prewarm_cli.errors import CommandFailed
from prewarm_cli.output.progress import in_progress
from prewarm_cli.report_download import copy_report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prewarm_cli.doctor.judging import Status

LABEL = "prewarm doctor"
# A run that is left behind ends by itself.
MINUTES, INVALIDATION_MINUTES = 10, 60
# Slow enough that the run is in progress when it is cancelled: its three targets take 30 s.
SLOW_RPS = 0.1
FIRST_PAUSE, LONGEST_PAUSE, PAUSE_GROWTH = 0.3, 3.0, 1.4

REPORT = Check(
    "report",
    Texts(
        "the report's link can be downloaded without the API key",
        "reports cannot be opened",
        "check that this machine reaches S3 in the service's Region, and that no bucket policy or endpoint policy "
        "denies links that the API function signs",
    ),
)


def trial(url: str, pops: Sequence[str], **more: object) -> dict[str, Any]:
    """Return the request of a trial run; it ends as succeeded in any case, so that no alarm is raised."""
    return {
        "url_list": [url],
        "region_type": "pop",
        "region": list(pops),
        "fail_on": "none",
        "label": LABEL,
        "timeout_minutes": MINUTES,
        **more,
    }


def own_query(url: str) -> str:
    """Return a URL with a query of its own, so that what is invalidated is not what viewers ask for."""
    bare = url.partition("#")[0]
    return f"{bare}{'&' if '?' in bare else '?'}prewarm-doctor={secrets.token_hex(4)}"


@dataclass
class Trials:
    """Starts and watches runs; `ended` collects the last status of each run, `ends` is when their time is up."""

    client: Client
    ends: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    ended: dict[str, Status] = field(default_factory=dict)

    def start(self, request: dict[str, Any]) -> str:
        """Start a run; return its requestID. May raise CommandFailed."""
        return str(self.client.start(request, new_idempotency_key())["requestID"])

    def watch(self, run: str, ends: float | None = None, first: Status | None = None) -> list[Status]:
        """Return every status of a run until it ends or its time is up; `first`: one that was read before."""
        ends, pause = self.ends if ends is None else ends, FIRST_PAUSE
        statuses = [] if first is None else [first]
        while not statuses or in_progress(statuses[-1]):
            if statuses:
                left = ends - self.clock()
                if left <= 0:
                    break
                self.sleep(min(pause, left))
                pause = min(LONGEST_PAUSE, pause * PAUSE_GROWTH)
            statuses.append(self.client.status(run))
        self.ended[run] = statuses[-1]
        return statuses

    def dry_run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the figures of a run that is not made.

        Raises:
            CommandFailed: the service refuses the request, or does not estimate it in time.

        """
        document = self.client.start(request | {"dry_run": True}, None)
        if "dryRun" in document:
            return dict(document["dryRun"])
        status = self.watch(str(document["requestID"]))[-1]
        if not isinstance(figures := status.get("dryRun"), dict):
            raise CommandFailed(judging.outcome_text(status))
        return figures

    def three_pops(self, url: str, pops: Sequence[str]) -> list[Row]:
        """Warm a URL through the POPs with each copy verified; return the rows of run, transitions and report."""
        try:
            run = self.start(trial(url, pops, verify="all"))
            statuses = self.watch(run)
        except CommandFailed as failed:
            return [judging.RUN.failure(str(failed), "runs cannot be started or followed")]
        rows = [judging.judge_run(statuses[-1], pops), judging.judge_transitions(statuses)]
        if in_progress(statuses[-1]):
            return [*rows, REPORT.skipped("the run has not ended", "see the run")]
        return [*rows, self.report(run)]

    def report(self, run: str) -> Row:
        """Check that the report of an ended run can be downloaded and read."""
        content = io.BytesIO()
        try:
            copy_report(self.client, self.client.report(run, "json"), content)
        except CommandFailed as failed:
            return REPORT.failure(str(failed))
        try:
            document = json.loads(content.getvalue())
        except ValueError:
            document = None
        if not isinstance(document, dict):
            return REPORT.failure("the link leads to something else than the report")
        return REPORT.ok(f"{len(content.getvalue()):,} bytes of JSON")

    def cancel(self, url: str, pops: Sequence[str]) -> Row:
        """Start a slow run and cancel it."""
        try:
            run = self.start(trial(url, pops, max_rps=SLOW_RPS, verify="none"))
            first = self.client.cancel(run)
            return judging.judge_cancel(self.watch(run, first=first))
        except CommandFailed as failed:
            return judging.CANCEL.failure(str(failed))

    def invalidate(self, url: str, pops: Sequence[str]) -> str | Row:
        """Start the run that invalidates one path; return its requestID, or the row about why it did not start."""
        request = trial(
            own_query(url), pops[:1], invalidate=True, verify="none", timeout_minutes=INVALIDATION_MINUTES
        )
        try:
            return self.start(request)
        except CommandFailed as failed:
            return judging.INVALIDATION.failure(str(failed))

    def invalidated(self, run: str, seconds: float) -> Row:
        """Wait for that run, for at most so many seconds from now."""
        began = self.clock()
        try:
            status = self.watch(run, began + seconds)[-1]
        except CommandFailed as failed:
            return judging.INVALIDATION.failure(str(failed), "whether the path was invalidated is not known")
        return judging.judge_invalidation(status, self.clock() - began)
