"""The documents of a run's plan: which ones there are, and which attempt's. bucket.py stores them in S3."""

from dataclasses import replace
from typing import Any

from prewarm.planning.batch_list import BatchList
from prewarm.planning.batching import expected_pairs, pairs_by_pop, tiled
from prewarm.planning.plan import Plan
from prewarm.storage.bucket import Bucket
from prewarm.storage.keys import plan_key, run_key, stage_key

# Encoded at a time: a few megabytes, since a URL may have thousands of characters.
URLS_AT_ONCE = 1_000


class PlanDocuments(Bucket):
    """Plan, URLs, batches, addresses, blocks, stages and invalidations of a run."""

    def put_plan(
        self, plan: Plan, urls: list[str], addresses: list[dict[str, list[str]]], *, replace: bool = True
    ) -> bool:
        """Store URLs, addresses and plan; return whether the run's plan is this one.

        The plan is written last: if it exists, everything exists. `replace`: whether to replace another attempt's.
        """
        key = run_key(plan.run, "plan/plan.json")
        self._put_json(plan_key(plan.run, plan.attempt, "addresses.json.gz"), addresses)
        if not replace and self.get_plan(plan.run) is not None:
            return False
        self._put_list(run_key(plan.run, "plan/urls.json.gz"), urls, URLS_AT_ONCE)
        if replace:
            self._put_json(key, plan.as_json())
        # A write whose response was lost is repeated by the SDK: then the stored plan is this one.
        elif not self._put_once(key, plan.as_json()):
            return self.need_plan(plan.run).attempt == plan.attempt
        return True

    def delete_plan(self, run: str) -> None:
        """Delete the run's plan; its other documents expire unread."""
        self._s3.delete_object(Bucket=self._bucket, Key=run_key(run, "plan/plan.json"))

    def get_plan(self, run: str) -> Plan | None:
        """Return the run's plan, or None."""
        document = self._get_json(run_key(run, "plan/plan.json"))
        return None if document is None else Plan.from_json(document)

    def need_plan(self, run: str) -> Plan:
        """Return the plan of a resolved run.

        Raises:
            FileNotFoundError: the run has no plan, which means broken infrastructure.

        """
        plan = self.get_plan(run)
        if plan is None:
            raise FileNotFoundError(f"run {run} has no plan")
        return plan

    def put_batches(self, plan: Plan) -> None:
        """Store the plan's list of batches, which says what is expected of each URL, POP and batch."""
        key = plan_key(plan.run, plan.attempt, "batches.json.gz")
        document = {
            "batches": [batch.as_json() for batch in plan.batch_list],
            "ofUrls": expected_pairs(plan),
            "ofPops": [[*place, pairs] for place, pairs in pairs_by_pop(plan).items()],
        }
        self._put_json(key, document)

    def with_batches(self, plan: Plan) -> Plan:
        """Return the plan with its list of batches; that of a plan without one follows from its tiling."""
        if not plan.lists_batches:
            return replace(plan, batch_list=tuple(tiled(plan)))
        stored = self._need_json(plan_key(plan.run, plan.attempt, "batches.json.gz"))
        if isinstance(stored, list):
            # Checkouts before 0.1.0 stored the batches alone.
            return replace(plan, batch_list=BatchList(stored))
        of_pops = {(group, pop): pairs for group, pop, pairs in stored["ofPops"]}
        return replace(plan, batch_list=BatchList(stored["batches"], stored["ofUrls"], of_pops))

    def get_urls(self, run: str) -> list[str]:
        """Return all URLs of a planned run as in the request, by index."""
        urls: list[str] = self._need_json(run_key(run, "plan/urls.json.gz"))
        return urls

    def put_fetched(self, run: str, fetched: dict[int, str]) -> None:
        """Store the fetched forms of the URLs that were given in another one, by index."""
        self._put_json(run_key(run, "plan/fetched.json.gz"), fetched)

    def get_fetched(self, run: str, respelled: int) -> dict[int, str]:
        """Return the fetched forms by index; `respelled` is the number of such URLs, known from plan or summary."""
        if not respelled:
            return {}
        return {int(index): url for index, url in self._need_json(run_key(run, "plan/fetched.json.gz")).items()}

    def get_addresses(self, plan: Plan) -> list[dict[str, list[str]]]:
        """Return for each group its POPs' addresses as DNS returned them, in order."""
        addresses: list[dict[str, list[str]]] = self._need_json(plan_key(plan.run, plan.attempt, "addresses.json.gz"))
        return addresses

    def put_block(self, plan: Plan, number: int, block: dict[str, Any]) -> None:
        """Store one block's URLs as they are fetched, with the request's headers."""
        self._put_json(plan_key(plan.run, plan.attempt, f"blocks/{number:06}.json.gz"), block)

    def get_block(self, plan: Plan, number: int) -> dict[str, Any]:
        """Return one block of URLs."""
        block: dict[str, Any] = self._need_json(plan_key(plan.run, plan.attempt, f"blocks/{number:06}.json.gz"))
        return block

    def put_invalidations(self, run: str, number: int, invalidations: list[dict[str, Any]]) -> None:
        """Store one round's invalidations: distribution, tenant, caller reference and paths of each."""
        self._put_json(run_key(run, f"plan/invalidations/{number:04}.json.gz"), invalidations)

    def get_invalidations(self, run: str, number: int) -> list[dict[str, Any]]:
        """Return one round's invalidations."""
        stored: list[dict[str, Any]] = self._need_json(run_key(run, f"plan/invalidations/{number:04}.json.gz"))
        return stored

    def put_documents_once(self, run: str, reading: int, document: dict[str, Any]) -> dict[str, Any]:
        """Store the invalidations of the documents that a reading found, unless it has; return what is stored."""
        key = run_key(run, f"plan/documents/{reading}.json.gz")
        return document if self._put_once(key, document) else self.get_documents(run, reading)

    def get_documents(self, run: str, reading: int) -> dict[str, Any]:
        """Return the invalidations of the documents that a reading found."""
        stored: dict[str, Any] = self._need_json(run_key(run, f"plan/documents/{reading}.json.gz"))
        return stored

    def put_stage(self, plan: Plan, number: int, items: list[dict[str, Any]]) -> None:
        """Store a stage's batches as the map's items."""
        self._put_json(stage_key(plan.run, plan.attempt, number), items)
