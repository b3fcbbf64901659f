"""Threads that take turns: one runs at a time, until its next call of a store, so that a test chooses the order."""

import threading
from collections.abc import Callable
from typing import Any

# A participant that does not come back is blocked by the code under test.
SECONDS = 30.0
_own = threading.local()


class Killed(BaseException):
    """The participant's Lambda was killed: it never calls a store again."""


class Participant:
    """A thread that runs `work` from one call of a store to the next, each time `step` is called."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self.killed = self.done = False
        self.answer: Any = None
        self.tool: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def current() -> "Participant":
        """Return the participant whose thread this is."""
        participant: Participant = _own.participant
        return participant

    def _run(self) -> None:
        _own.participant = self
        self._go.acquire()
        try:
            self.answer = self._work()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        self.done = True
        self._back.release()

    def step(self) -> None:
        """Let the thread run until its next call of a store, or its end."""
        if self.done:
            return
        self._go.release()
        assert self._back.acquire(timeout=SECONDS), "the participant is blocked"
        if self.done:
            self._thread.join()

    def finish(self) -> None:
        """Let the thread run to its end."""
        while not self.done:
            self.step()

    def kill(self) -> None:
        """End the thread as a killed Lambda ends: its clean-up calls no store either."""
        self.killed = True
        self.finish()

    def pause(self) -> None:
        """Give the turn back, and wait for the next one."""
        self._back.release()
        self._go.acquire()
        if self.killed:
            raise Killed


def pause() -> None:
    """Give the turn back where a participant's thread calls this; return at once elsewhere."""
    if participant := getattr(_own, "participant", None):
        if participant.killed:
            raise Killed
        participant.pause()


class InTurns:
    """An object whose method calls each wait for the caller's next turn."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        """Return an attribute; methods wait for a turn, and a ledger's do so too."""
        value = getattr(self._target, name)
        if name == "ledger":
            return InTurns(value)
        if not callable(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            pause()
            return value(*arguments, **options)

        return call
