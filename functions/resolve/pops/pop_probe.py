"""The probe of one POP: whether the edge behind its address is the expected POP.

A HEAD for a path that is not a target: TCP, TLS for the run's host, and `X-Amz-Cf-Pop`. Whatever the status, the
edge names its POP. At worst the HEAD requests headers from the origin. CloudFront caches responses to HEAD as it
does those to GET (Developer Guide, "Choose which HTTP methods to cache"), so behind the regional edge caches the
origin receives few of them, and a cached answer, which may be an error, must not be that of a URL to warm.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from prewarm.catalogue import POP_PATTERN
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.request_headers import header_lines
from prewarm.fetcher.response import Response
from prewarm.results.classify import classify
from prewarm.results.outcome import Outcome

# The status for a host that the server's certificate covers and its configuration does not (RFC 9110, 15.5.20).
MISDIRECTED = 421


@dataclass(slots=True)
class PopProbe:
    """A probe and its result: `failure` is empty if the edge is that POP, else an outcome, explained by `detail`.

    With an empty `pop` any POP is accepted; `pop` is then set to the one that responds. `served`: whether the edge
    answered with something other than its own refusal, so that a distribution has the URL's host.
    """

    pop: str
    addresses: list[str]
    url: str
    failure: str = ""
    detail: str = ""
    served: bool = False
    _tried: int = field(default=0)
    _named: bool = field(default=False)

    @property
    def verified(self) -> bool:
        """Return whether the edge named exactly that POP over TLS, with a certificate for the URL's host.

        A probe also succeeds with the POP's bare location (`NRT57`), and with an error that names no POP; neither
        shows that this POP exists.
        """
        return self._named and not self.failure and self.url.startswith("https://")

    def record(self, response: Response) -> float | None:
        """Record a response; returns the delay in seconds before the next address is probed, or None at the end."""
        expected = self.pop or (response.cf_pop if POP_PATTERN.fullmatch(response.cf_pop) else "")
        outcome, self.detail = classify(response, expected)
        succeeded = not response.error and outcome is not Outcome.WRONG_POP
        self.failure = "" if succeeded else str(outcome)
        self._named = succeeded and bool(expected) and response.cf_pop == expected
        if succeeded:
            self.pop = expected
            self.served = outcome is not Outcome.BLOCKED and response.status != MISDIRECTED
        self._tried += 1
        return None if succeeded or self._tried >= len(self.addresses) else 0.0


def run_probes(probes: Iterable[PopProbe], fetcher: Fetcher, user_agent: str | None) -> None:
    """Run all probes at once; each tries its addresses in order until one responds as that POP."""

    def on_answer(fetch: Fetch, response: Response) -> float | None:
        pop_probe: PopProbe = fetch.owner
        fetch.address += 1
        return pop_probe.record(response)

    headers = header_lines({}, user_agent)
    fetcher.run([Fetch(each.url, headers, PopQueue(each.addresses), each, head=True) for each in probes], on_answer)
