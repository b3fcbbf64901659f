"""The planned run that this process read last: its plan, batches and URLs never change."""

from dataclasses import dataclass

from prewarm.planning.plan import Plan
from prewarm.storage.plan_documents import PlanDocuments

# A larger run is read by each poll: it would stay in memory next to the next poll's.
MOST_URLS = 300_000


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run's plan with its list of batches, its URLs as given, and by index the other forms that are fetched."""

    plan: Plan
    urls: list[str]
    fetched: dict[int, str]


class PlannedRuns(PlanDocuments):
    """Reads planned runs, and remembers the last one of this process."""

    _stored: Plan | None = None
    _planned: PlannedRun | None = None

    def get_planned(self, plan: Plan) -> PlannedRun:
        """Return the run of a stored plan; a plan that replaced another one names another attempt.

        Raises:
            FileNotFoundError: the run's URLs or batches have expired.

        """
        if self._planned is not None and self._stored == plan:
            return self._planned
        urls, fetched = self.get_urls(plan.run), self.get_fetched(plan.run, plan.respelled)
        planned = PlannedRun(self.with_batches(plan), urls, fetched)
        if plan.attempt and len(urls) <= MOST_URLS:
            self._stored, self._planned = plan, planned
        return planned

    def forget_planned(self) -> None:
        """Let the next poll read the run, as that of a new process does."""
        self._stored, self._planned = None, None
