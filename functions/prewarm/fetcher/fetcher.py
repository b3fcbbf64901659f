"""The HTTP client: fetches URLs from many edges at once, each through the addresses of one POP.

It does not know outcomes: a callback receives each response and returns whether, and when, to fetch again.
`curl` holds the connections, `scheduler` decides which fetch starts when, `transfer` has the types.
"""

from collections.abc import Callable, Iterable

from prewarm.fetcher.curl import CurlPool
from prewarm.fetcher.scheduler import Scheduler
from prewarm.fetcher.transfer import Admit, Fetch, OnResponse, PopQueue
from prewarm.settings import Settings

__all__ = ["Fetch", "Fetcher", "OnResponse", "PopQueue"]


class Fetcher:
    """An HTTP client whose connections stay open between invocations, so that a warm worker uses them again."""

    def __init__(self, settings: Settings) -> None:
        self._pool = CurlPool(settings)
        self._scheduler: Scheduler | None = None
        self._spans: list[tuple[float, float]] = []

    def run(
        self,
        fetches: Iterable[Fetch],
        on_response: OnResponse,
        *,
        queues: Iterable[PopQueue] = (),
        should_stop: Callable[[], bool] = lambda: False,
        admit: Admit | None = None,
        max_bytes: int | None = None,
    ) -> list[Fetch]:
        """Make all fetches, those that the queues feed, and those that a callback requeues.

        Args:
            fetches: fetches to make at once.
            on_response: called with each fetch and its response; returns None, or the seconds until a retry.
            queues: queues that feed further fetches.
            should_stop: called between steps; True ends the run.
            admit: called before each fetch starts (see `transfer.Admit`).
            max_bytes: the largest body to fetch; a larger one ends with libcurl's error 63.

        Returns:
            When stopped, the fetches that were active or waiting, without a response; what a queue has not fed yet
            is not among them.

        """
        all_queues: dict[PopQueue, None] = dict.fromkeys(queues)
        for fetch in fetches:
            fetch.queue.waiting.append(fetch)
            all_queues[fetch.queue] = None
        self._scheduler = Scheduler(self._pool, on_response, max_bytes, all_queues, admit)
        try:
            return self._scheduler.run(should_stop)
        finally:
            if (span := self._scheduler.span()) is not None:
                self._spans.append(span)
            self._scheduler.close()
            self._scheduler = None

    @property
    def active(self) -> int:
        """Return the number of fetches that have started and have no response yet."""
        return self._scheduler.active if self._scheduler else 0

    def fetched_since(self, moment: float) -> tuple[float, float] | None:
        """Return when the first fetch since then started and when the last response came; None without a response.

        All are in monotonic seconds. The call resets them.
        """
        spans, self._spans = [span for span in self._spans if span[0] >= moment], []
        return (spans[0][0], max(last for _, last in spans)) if spans else None

    def requeue(self, fetch: Fetch) -> None:
        """Fetch once more, as soon as its queue has room; for callbacks of `run`.

        Unlike the retry that `on_response` returns, this is for a fetch other than the one at hand, such as one
        that finished earlier and has to be verified now. Its queue must be one of this run's.

        Raises:
            RuntimeError: nothing is running.

        """
        if self._scheduler is None:
            raise RuntimeError("requeue: call it from a callback of run")
        self._scheduler.requeue(fetch)

    def abandon(self, queue: PopQueue) -> list[Fetch]:
        """Drop a queue's fetches that are active or wait for a retry; returns them. For callbacks of `run`.

        Raises:
            RuntimeError: nothing is running.

        """
        if self._scheduler is None:
            raise RuntimeError("abandon: call it from a callback of run")
        return self._scheduler.abandon(queue)
