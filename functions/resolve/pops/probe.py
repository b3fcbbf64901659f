"""The probe: whether the edge behind a POP's address is the POP that it should be.

A HEAD for one of the run's own URLs: TCP, TLS for the URL's host, and `X-Amz-Cf-Pop`. Whatever the status, the edge
names its POP. A HEAD fills no cache for a GET that would follow, at worst it asks the origin for headers; CloudFront
caches answers to HEAD as it does those to GET (Developer Guide, "Choose which HTTP methods to cache"), so behind
the regional edge caches the origin sees few of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from prewarm.catalogue import POP_PATTERN
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.response import Response
from prewarm.results.classify import classify
from prewarm.results.outcome import Outcome


@dataclass(slots=True)
class Probe:
    """A POP to be probed: the question, and what came of it (`failure` empty: it is that POP).

    `pop` empty: whichever answers; then it is the one that says so.
    """

    pop: str
    addresses: list[str]
    url: str
    failure: str = ""
    detail: str = ""
    _tried: int = field(default=0)

    def take(self, response: Response) -> float | None:
        """Judge a response; returns when to ask the next address, or None."""
        asked = self.pop or (response.cf_pop if POP_PATTERN.fullmatch(response.cf_pop) else "")
        outcome, self.detail = classify(response, asked)
        well = not response.error and outcome is not Outcome.WRONG_POP
        self.failure = "" if well else str(outcome)
        if well:
            self.pop = asked
        self._tried += 1
        return None if well or self._tried >= len(self.addresses) else 0.0


def probe_all(probes: Iterable[Probe], fetcher: Fetcher, user_agent: str) -> None:
    """Ask every POP, all at once, each address in turn until one answers as that POP."""

    def on_answer(fetch: Fetch, response: Response) -> float | None:
        probe: Probe = fetch.owner
        fetch.address += 1
        return probe.take(response)

    headers = [f"User-Agent: {user_agent}"]
    fetcher.run([Fetch(each.url, headers, PopQueue(each.addresses), each, head=True) for each in probes], on_answer)
