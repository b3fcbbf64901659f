"""The end of a run's ledger: its workers stop and write what they fetched, then its unfinished batches are closed."""

import time

from prewarm.observability import logger
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.unfinished_batches import unfinished_batches
from prewarm.storage.ledger import Ledger

# The longest wait for workers, which read the run's control item every three seconds and then write what they have.
# DELETE /prewarm waits too, and API Gateway answers after 29 s.
WAIT_SECONDS, POLL_SECONDS = 15.0, 0.25
# A round repeats if a worker wrote a part between the reading of the results and the closing of its batch.
MAX_ROUNDS = 10


def settle_run(plan: Plan, ledger: Ledger, redrives: int = 0) -> list[BatchResult]:
    """Return the final results of a run that is marked as ended.

    Where batches are unfinished, wait for the attempts that are still working, then close these batches: their later
    parts are refused. Calling it again has no effect.
    """
    results = ledger.results(plan.run)
    if not unfinished_batches(plan, results):
        return results
    _await_attempts(ledger, plan.run)
    for _ in range(MAX_ROUNDS):
        results = ledger.results(plan.run)
        unfinished = unfinished_batches(plan, results)
        if not unfinished or ledger.close_batches(plan.run, unfinished, redrives):
            return results
    logger.warning("parts are still written", extra={"batches": len(unfinished)})
    return ledger.results(plan.run)


def _await_attempts(ledger: Ledger, run: str) -> None:
    """Wait until no attempt of the run is working, or for WAIT_SECONDS.

    An attempt whose Lambda was killed is listed until the time at which it must have ended.
    """
    end = time.monotonic() + WAIT_SECONDS
    while ledger.has_open_attempts(run):
        if time.monotonic() >= end:
            logger.warning("attempts are still listed as working")
            return
        time.sleep(POLL_SECONDS)
