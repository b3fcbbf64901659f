"""Start a run through the API, poll it to its end as a client would, and keep what was seen."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.trust.world import COUNTRIES, HOST, POPS, SEPARATE_POPS, TIMED_HOST, World

POLL_SECONDS = 0.15
# A bound for a run under faults; it is a bound, not a measurement.
LONGEST_SECONDS = 150
FINAL = ("failedUrl", "successUrl")


@dataclass
class Shape:
    """What a run asks for."""

    urls: int = 12
    fields: dict[str, Any] = field(default_factory=dict)
    worker_seconds: int = 0
    host: str = HOST

    def body(self, urls: list[str]) -> dict[str, Any]:
        return {"url_list": urls, **self.fields}


def small_shape(chance: random.Random) -> Shape:
    """Return a random run of one to four batches, at most 200 targets."""
    fields: dict[str, Any] = {"verify": chance.choice(["sample", "sample", "all", "none"])}
    if chance.random() < 0.6:
        pops = chance.sample(POPS, chance.randint(2, len(POPS)))
        fields |= {"region_type": "pop", "region": pops}
    else:
        fields |= {"region_type": "country", "region": chance.sample(COUNTRIES, chance.randint(1, 3))}
    if chance.random() < 0.25:
        fields["accept_encodings"] = ["br, gzip", "identity"]
    if chance.random() < 0.2:
        fields["staged"] = True
    fields["max_concurrency"] = chance.choice([1, 2, 5])
    return Shape(chance.randint(8, 16), fields)


def slow_shape(chance: random.Random) -> Shape:
    """Return a run that takes some seconds and whose batches need several workers."""
    fields = {
        "region_type": "pop",
        "region": chance.sample(POPS, 4),
        "verify": "none",
        "max_rps": 30,
        "max_concurrency": 3,
    }
    return Shape(chance.randint(24, 30), fields, worker_seconds=2)


def separate_shape(chance: random.Random) -> Shape:
    """Return a run through POPs whose addresses have separate caches, which responses show.

    It has a single batch: what its worker has found and not recorded, no other worker finds again.
    """
    fields = {
        "region_type": "pop",
        "region": list(SEPARATE_POPS),
        "verify": chance.choice(["sample", "all"]),
        "max_concurrency": 1,
    }
    return Shape(12, fields, host=TIMED_HOST)


@dataclass
class Poll:
    """One answer of GET /status: its HTTP status, the seconds it took, and its document."""

    http: int
    seconds: float
    document: dict[str, Any]


@dataclass
class Run:
    """A run under faults, and what its client saw."""

    world: World
    shape: Shape
    paths: list[str]
    arn: str = ""
    polls: list[Poll] = field(default_factory=list)
    cancelled: dict[str, Any] | None = None
    starts: int = 0
    _key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def urls(self) -> list[str]:
        return [f"https://{self.shape.host}{path}" for path in self.paths]

    def call(self, method: str, path: str, **options: Any) -> tuple[int, Any, float]:
        """Call the API; return HTTP status, document and seconds."""
        began = time.monotonic()
        headers = {"x-api-key": self.world.stack.api_key, **options.pop("headers", {})}
        response = requests.request(method, f"{self.world.stack.api}{path}", headers=headers, timeout=40, **options)
        return response.status_code, response.json(), time.monotonic() - began

    def start(self) -> None:
        """Start the run, and try again as a client does, with the same Idempotency-Key."""
        headers, body = {"Idempotency-Key": self._key}, self.shape.body(self.urls)
        end = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < end:
            self.starts += 1
            status, document, _ = self.call("POST", "/prewarm", json=body, headers=headers)
            if status == 200:
                self.arn = document["requestID"]
                return
            assert status in {429, 500, 502, 503, 504}, document
            time.sleep(0.1)
        raise AssertionError("the run could not be started")

    def cancel(self) -> None:
        """Cancel the run, and try again until it has ended; keep the answer."""
        end = time.monotonic() + LONGEST_SECONDS
        while not self.arn and time.monotonic() < end:
            time.sleep(0.02)  # its start has not returned yet
        while time.monotonic() < end:
            status, document, _ = self.call("DELETE", "/prewarm", params={"requestID": self.arn})
            if status == 200:
                self.cancelled = document
                return
            if status == 409:
                return
            time.sleep(0.1)

    def abort(self) -> None:
        """Stop the execution as the console does."""
        self.world.states.stop_execution(executionArn=self.arn)

    def poll(self) -> Poll:
        status, document, seconds = self.call("GET", "/status", params={"requestID": self.arn})
        self.polls.append(Poll(status, seconds, document))
        return self.polls[-1]

    def follow(self) -> None:
        """Poll the run to its end."""
        end = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < end:
            last = self.poll()
            if last.http == 200 and last.document["status"] != "IN_PROGRESS":
                return
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"the run did not end in {LONGEST_SECONDS} s: {self.polls[-1]}")

    def settle(self) -> None:
        """Wait until the execution's last functions have ended."""
        self.world.deliveries.settle()
        end = time.monotonic() + 60
        # A plan that was stored while the run was ended is deleted again.
        while self.document("plan/plan.json") and not self.document("summary.json") and time.monotonic() < end:
            time.sleep(0.1)

    def document(self, name: str) -> bytes | None:
        """Return one of the run's documents in S3, or None."""
        s3 = self.world.s3
        try:
            body: bytes = s3.get_object(Bucket=self.world.stack.bucket, Key=f"runs/{self.name}/{name}")["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return body

    def poll_problems(self) -> list[str]:
        """Return what the polls show that a client must never see."""
        problems, decided = [], {name: set[str]() for name in FINAL}
        given = Counter(self.urls)
        for number, poll in enumerate(self.polls):
            where, seen = f"poll {number}", poll.document
            if poll.http != 200:
                # 502: the API's worker was killed.
                if poll.http not in {429, 502, 503, 504} or set(seen) != {"error"}:
                    problems.append(f"{where}: HTTP {poll.http}: {str(seen)[:200]}")
                continue
            lists = {name: seen[name] for name in (*FINAL, "inProgressUrl")}
            if Counter(url for urls in lists.values() for url in urls) != given:
                problems.append(f"{where}: the lists are not the run's URLs")
            if not seen["completed"] + seen["inProgress"] == seen["total"] == len(self.urls):
                problems.append(f"{where}: {seen['completed']} + {seen['inProgress']} of {seen['total']}")
            if seen["completed"] != len(seen["failedUrl"]) + len(seen["successUrl"]):
                problems.append(f"{where}: completed is not failed + success")
            for name in FINAL:
                if left := decided[name] - set(seen[name]):
                    problems.append(f"{where}: {len(left)} URLs left {name}")
                decided[name] |= set(seen[name])
            if seen["status"] != "IN_PROGRESS" and seen["inProgress"]:
                problems.append(f"{where}: ended with URLs in progress")
        return problems


def together(*acts: Callable[[], object]) -> None:
    """Call several things at the same time; raise the first error."""
    errors: list[BaseException] = []

    def attempt(act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  raised below
            errors.append(error)

    threads = [threading.Thread(target=attempt, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
