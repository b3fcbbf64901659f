"""Lambda invocations of the embedded stack, delivered twice, late, without an answer, or refused."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prewarm_local.stack.lambda_workers import InvokeError, Workers
from prewarm_local.stack.runtime_api import Result


class Throttled(InvokeError):
    """Lambda refuses an invocation because too many run."""

    code, status = "TooManyRequestsException", 429


class LostAnswer(InvokeError):
    """The invocation's result did not arrive."""

    code, status = "ServiceException", 500


Invoke = Callable[[], Result]


@dataclass
class Delivery:
    """A rule: what happens to an invocation of `function`, after the first `skip`, `times` times."""

    function: str
    act: Callable[["Deliveries", str, bytes, Invoke], Result]
    times: float = 1
    skip: int = 0
    fired: int = 0


@dataclass
class Deliveries:
    """Takes the place of `Workers.invoke`."""

    workers: Workers
    names: dict[str, str]
    rules: list[Delivery] = field(default_factory=list)
    events: dict[str, list[bytes]] = field(default_factory=dict)
    invoked: Counter[str] = field(default_factory=Counter)
    background: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._invoke = self.workers.invoke
        self.workers.invoke = self.invoke  # type: ignore[method-assign]

    def add(self, function: str, act: Callable[..., Result], **limits: Any) -> Delivery:
        rule = Delivery(function, act, **limits)
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove all rules, and wait for invocations that still run."""
        with self._lock:
            self.rules = []
        self.settle()
        self.events, self.invoked, self.background = {}, Counter(), []

    def settle(self) -> None:
        """Wait for invocations that run in the background."""
        for thread in self.background:
            thread.join(60)

    def invoke(self, function: str, payload: bytes) -> Result:
        """Invoke a function, or apply the first rule that takes this invocation."""
        name = self.names.get(function.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0], "")
        with self._lock:
            self.invoked[name] += 1
            self.events.setdefault(name, []).append(payload)
            rule = next((each for each in self.rules if self._takes(each, name)), None)
        if rule is None:
            return self._invoke(function, payload)
        return rule.act(self, function, payload, lambda: self._invoke(function, payload))

    def _takes(self, rule: Delivery, name: str) -> bool:
        if rule.function != name or rule.fired >= rule.times:
            return False
        if rule.skip:
            rule.skip -= 1
            return False
        rule.fired += 1
        return True

    def later(self, function: str, payload: bytes) -> "Background":
        """Start an invocation in the background."""
        return Background(self, lambda: self._invoke(function, payload))


class Background:
    """An invocation in a thread; `result` waits for it."""

    def __init__(self, deliveries: Deliveries, invoke: Invoke) -> None:
        self._answer: Result | None = None

        def run() -> None:
            self._answer = invoke()

        self._thread = threading.Thread(target=run, daemon=True)
        deliveries.background.append(self._thread)
        self._thread.start()

    def result(self) -> Result:
        self._thread.join(120)
        assert self._answer is not None, "the invocation did not end"
        return self._answer


def twice(head_start: float, *, second: bool) -> Callable[..., Result]:
    """Deliver the event twice, `head_start` seconds apart; Step Functions gets the second answer or the first."""

    def act(deliveries: Deliveries, function: str, payload: bytes, _: Invoke) -> Result:
        one = deliveries.later(function, payload)
        time.sleep(head_start)
        other = deliveries.later(function, payload)
        first, last = one.result(), other.result()
        # A delivery that fails is repeated, so the answer of the other one is used.
        answers = (last, first) if second else (first, last)
        return next((each for each in answers if not each.error), answers[0])

    return act


def abandoned(seconds: float) -> Callable[..., Result]:
    """Give up an invocation after some seconds, while it still works; Step Functions starts another one."""

    def act(deliveries: Deliveries, function: str, payload: bytes, _: Invoke) -> Result:
        deliveries.later(function, payload)
        time.sleep(seconds)
        raise LostAnswer("injected: the client gave up")

    return act


def lost(_deliveries: Deliveries, _function: str, _payload: bytes, invoke: Invoke) -> Result:
    """Invoke the function, and lose its answer."""
    invoke()
    raise LostAnswer("injected: the answer was lost")


def throttled(*_: Any) -> Result:
    """Refuse the invocation."""
    raise Throttled("injected: Rate exceeded")


def after(seconds: float, act: Callable[[], object], *, wait: bool = False) -> Callable[..., Result]:
    """Do something `seconds` after the invocation began; `wait`: before the function starts."""

    def perform(_deliveries: Deliveries, _function: str, _payload: bytes, invoke: Invoke) -> Result:
        if wait:
            act()
        else:
            timer = threading.Timer(seconds, act)
            timer.daemon = True
            timer.start()
        return invoke()

    return perform


def run_of(payload: bytes) -> str:
    """Return the run that an event concerns."""
    document = json.loads(payload)
    return str(document.get("run") or document.get("detail", {}).get("name", ""))
