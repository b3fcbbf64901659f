"""CreateInvalidations and CheckInvalidations: remove old objects from every cache before new ones are fetched."""

from typing import Any

from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage, storage
from resolve.distributions.accounts import Accounts
from resolve.invalidation_calls import PatientCloudFront
from resolve.invalidation_progress import is_late, note
from resolve.invalidation_rounds import InvalidationBatch, first_wait, next_wait
from resolve.reading import stored_rounds

# Seconds that an invocation keeps for itself when CloudFront is busy: to raise before Lambda ends it.
MARGIN_SECONDS = 60


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Return the state's `invalidation` after one step of its round: its invalidations created, or checked once.

    `status` in it is `waiting`, `next` (the round is completed, another follows), `completed`, or `late`: the run's
    time is up or it has ended, so no further paths are invalidated. For documents, it is `read_again` in place of
    `completed`, and `overdue` in place of `late`, since there is no plan yet whose results could be added up.

    CloudFront raises TooManyInvalidationsInProgress while it removes other callers' paths: the state machine retries
    that error and CloudFrontBusy by their names.
    """
    run: str = event["run"]
    progress: dict[str, Any] = event["invalidation"]
    logger.append_keys(run=run)
    store = storage()
    # Executions of an earlier definition have no `reading`.
    reading = progress.get("reading", 0)
    if is_late(run, event.get("redrives", 0), store, reading):
        logger.info("no time is left to invalidate")
        return progress | {"status": "overdue" if reading else "late"}
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    accounts = Accounts(Settings.from_environment().distribution_roles, attempts=1)
    cloudfront = PatientCloudFront(accounts.client, seconds)
    after = check(progress, cloudfront) if progress["created"] else create(run, progress, cloudfront, store)
    note(run, progress, after, store)
    return after


def create(run: str, progress: dict[str, Any], cloudfront: PatientCloudFront, store: Storage) -> dict[str, Any]:
    """Create a round's invalidations, one per distribution or tenant."""
    if reading := progress.get("reading", 0):
        batches = stored_rounds(store.get_documents(run, reading))[progress["round"]]
    else:
        batches = [InvalidationBatch.from_json(each) for each in store.get_invalidations(run, progress["round"])]
    created = [cloudfront.create(batch) for batch in batches]
    logger.info("invalidating", extra={"round": progress["round"], "paths": sum(len(each.paths) for each in batches)})
    wait = first_wait(progress["firstWait"], progress["waited"])
    return progress | {
        "created": created, "done": 0, "checks": 0, "wait": wait, "firstWait": wait, "waited": 0, "status": "waiting"
    }  # fmt: skip


def check(progress: dict[str, Any], cloudfront: PatientCloudFront) -> dict[str, Any]:
    """Check a round's invalidations in order, from the first that was not completed at the last check."""
    created, done = progress["created"], progress["done"]
    while done < len(created) and cloudfront.is_completed(created[done]):
        done += 1
    waited, number = progress["waited"] + progress["wait"], progress["round"] + 1
    logger.info("checked", extra={"completed": done, "of": len(created), "seconds": waited})
    checked = progress | {"done": done, "checks": progress["checks"] + 1, "waited": waited}
    if done < len(created):
        return checked | {"wait": next_wait(progress["wait"])}
    ended = "read_again" if progress.get("reading", 0) else "completed"
    status = ended if number == progress["rounds"] else "next"
    return checked | {"created": [], "round": number, "status": status}
