"""The examination: which checks are made in which order, and which of them depend on others."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from prewarm.diagnosis import FAILURE, OK, Check, Row, Texts, row_of
from prewarm_cli.doctor import budget, judging
from prewarm_cli.doctor.account import DIRECT_START, Account
from prewarm_cli.doctor.service import ask_service, check_api, check_key_needed
from prewarm_cli.doctor.trials import REPORT, Trials, trial
from prewarm_cli.errors import CommandFailed
from prewarm_cli.output.progress import in_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prewarm_cli.api_client import Client

# All checks but the invalidation, which takes as long as CloudFront takes.
MOST_SECONDS = 120.0
NO_URL = "no URL was given"
GIVE_URL = "pass a URL of a site that the service may warm"

TIME = Check(
    "time",
    Texts(
        "all checks but the invalidation ended within two minutes",
        "the service is slow",
        "look at the slowest checks first; a VPC function that was idle for weeks needs minutes once",
    ),
)
OF_RUNS = (judging.RUN, judging.TRANSITIONS, REPORT, judging.CANCEL, DIRECT_START, judging.INVALIDATION)


@dataclass(frozen=True)
class Options:
    """What you choose: the URL, the highest max_concurrency of requests, and how long an invalidation may take."""

    url: str | None
    max_concurrency: int
    invalidation_seconds: float
    invalidation: bool = True


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Examination:
    """One examination of a service; `seconds` is its time without the wait for the invalidation."""

    client: Client
    options: Options
    now: Callable[[], dt.datetime] = _utc_now
    clock: Callable[[], float] = time.monotonic
    service_version: str = ""
    state_machine_arn: str = ""
    seconds: float = 0.0
    invalidation_seconds: float = 0.0
    estimated: float | None = None
    measured: float | None = None
    _account: Account = field(init=False)

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all checks, each with its seconds, as they are made."""
        began = self.clock()
        for row in self._rows(began):
            now = self.clock()
            yield replace(row, seconds=row.seconds or now - began)
            began = self.clock()

    def _rows(self, began: float) -> Iterator[Row]:
        api = check_api(self.client)
        yield api
        if api.result == FAILURE:
            return
        yield check_key_needed(self.client)
        document, rows = ask_service(self.client, self.options.url, self.now)
        yield from rows
        self.service_version = str(document.get("version", ""))
        service_rows = [row_of(each) for each in document.get("checks", ())]
        yield from service_rows
        if not document:
            return
        self.state_machine_arn = str(document["stateMachineArn"])
        self._account = Account(self.state_machine_arn)
        yield self._account.credentials()
        if self._account.usable:
            yield self._account.concurrency(self.options.max_concurrency)
        else:
            yield from self._account.skipped()
        if (reason := self._why_no_runs(document, service_rows)) is not None:
            yield from (
                check.skipped(*reason) for check in OF_RUNS if self._account.usable or check is not DIRECT_START
            )
        else:
            yield from self._runs(began, [str(pop) for pop in document["pops"]][: judging.POPS])
        if not self.seconds:
            self.seconds = self.clock() - began
        detail = f"{self.seconds:.0f} s" + (
            f", and {self.invalidation_seconds:.0f} s for the invalidation" if self.invalidation_seconds else ""
        )
        yield TIME.ok(detail) if self.seconds <= MOST_SECONDS else TIME.warning(detail)

    def _why_no_runs(self, document: dict[str, Any], rows: list[Row]) -> tuple[str, str] | None:
        """Return why no run is made and what to do, or None."""
        if self.options.url is None:
            return NO_URL, GIVE_URL
        if any(row.check == "distribution" and row.result != OK for row in rows):
            return "the service cannot warm the URL's host", "fix the check `distribution` first"
        if not document["pops"]:
            return "no POP responds", "fix the check `reachability` first"
        return None

    def _runs(self, began: float, pops: list[str]) -> Iterator[Row]:
        """Make the trial runs. The invalidation is asked for first and waited for last."""
        assert self.options.url is not None
        url, options = self.options.url, self.options
        trials = Trials(self.client, began + MOST_SECONDS)
        try:
            figures = trials.dry_run(trial(url, pops, verify="all"))
        except CommandFailed as failed:
            yield budget.COST.failure(
                str(failed), "the service does not plan a run of this URL", judging.TROUBLESHOOTING
            )
            yield from (check.skipped("a run of this URL cannot be planned", "fix that first") for check in OF_RUNS)
            return
        self.estimated = budget.estimated_dollars(
            figures, len(pops), invalidation=options.invalidation, direct_start=self._account.usable
        )
        if (refusal := budget.judge_estimate(self.estimated)) is not None:
            yield refusal
            return
        invalidating = trials.invalidate(url, pops) if options.invalidation else None
        direct = self._start_directly(trial(url, pops[:1], dry_run=True)) if self._account.usable else None
        yield from trials.three_pops(url, pops)
        yield trials.cancel(url, pops)
        if direct is not None:
            yield direct if isinstance(direct, Row) else _judge_direct(trials, direct)
        self.seconds = self.clock() - began
        if isinstance(invalidating, str):
            waits = self.clock()
            yield trials.invalidated(invalidating, options.invalidation_seconds)
            self.invalidation_seconds = self.clock() - waits
        elif invalidating is not None:
            yield invalidating
        else:
            yield judging.INVALIDATION.skipped("--no-invalidation", "run it without this option once")
        self.measured = budget.measured_dollars(trials.ended.values())
        yield budget.judge_cost(self.estimated, self.measured, invalidation=options.invalidation)

    def _start_directly(self, request: dict[str, Any]) -> str | Row:
        return self._account.start(f"doctor-{self.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}", request)


def _judge_direct(trials: Trials, run: str) -> Row:
    """Return whether a dry run that was started at the state machine ended with its figures."""
    try:
        status = trials.watch(run)[-1]
    except CommandFailed as failed:
        return DIRECT_START.failure(str(failed), "the API does not show a run that was started directly")
    if in_progress(status) or "dryRun" not in status:
        return DIRECT_START.failure(judging.outcome_text(status), action=judging.next_step(status))
    return DIRECT_START.ok("a dry run was started by StartExecution, and the API shows its figures")
