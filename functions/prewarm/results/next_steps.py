"""What to do about each outcome, with a link to the section that explains it. Pure.

This is the only source of these texts: status, reports, JUnit, notifications, command and dashboard take them from
here. A repetition is suggested only where the same request can succeed later; everything else has to change first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prewarm.counted import count_of
from prewarm.docs_links import troubleshooting
from prewarm.results.failures import Kind
from prewarm.results.outcome import Outcome
from prewarm.results.regional_causes import COLD, DIRECT, OWN_COPIES, SINGLE, UNNAMED
from prewarm.results.server_errors import FUNCTION, UNREACHABLE

Do = Literal["fix", "retry"]


@dataclass(frozen=True, slots=True)
class NextStep:
    """A next step: `fix` something and start a new run, or `retry` the failed URLs; `how`: in words."""

    do: Do
    how: str


STEPS = {
    Outcome.CLIENT_ERROR: NextStep("fix", "correct the URL, or send the headers that the origin requires (headers)"),
    Outcome.BLOCKED: NextStep(
        "fix",
        "allow the service in the web ACL by a secret header that only it sends, or lift the geographic restriction",
    ),
    Outcome.SERVER_ERROR: NextStep("retry", "find the error in the origin's log, by the run's time, then retry"),
    Outcome.REDIRECT: NextStep("fix", "put the address that the redirect names on the list instead of this one"),
    Outcome.ERROR_PAGE: NextStep("fix", "put the page itself, such as /index.html, on the list instead"),
    Outcome.LIMITED: NextStep("retry", "set a lower max_rps, or raise the limit, then retry"),
    Outcome.UNPROVEN: NextStep(
        "fix", "raise the TTL: Cache-Control of the origin, or the minimum TTL of the cache policy"
    ),
    Outcome.STALE: NextStep(
        "retry",
        "repair the origin if it fails, or invalidate the path that a function changes the URI to, then retry",
    ),
    Outcome.NOT_CACHEABLE: NextStep(
        "fix",
        "raise the TTL of the cache policy, or take the URL off the list: its settings or headers prevent caching",
    ),
    Outcome.WRONG_POP: NextStep("fix", "choose another POP of the same location, or warm by country or region"),
    # CloudFront keeps no response that is shorter than its Content-Length, and no incomplete chunked one (Developer
    # Guide, "Request and response behavior for custom origins", "Dropped TCP connections").
    Outcome.TRUNCATED: NextStep(
        "fix",
        "correct the Content-Length that the origin sends, or raise the origin's own time limit for a response; "
        "no invalidation is needed, since CloudFront does not keep an incomplete response",
    ),
    Outcome.TOO_LARGE: NextStep("fix", "raise max_bytes, or take the URL off the list"),
    Outcome.TIMEOUT: NextStep("retry", "retry; if it happens again, check how long the origin takes for this URL"),
    Outcome.CONNECT_ERROR: NextStep("retry", "retry; a POP that keeps refusing connections may be out of service"),
    Outcome.TLS_ERROR: NextStep(
        "fix",
        "give the distribution a certificate for the URL's host, and list the host as an alternate domain name",
    ),
    Outcome.UNRESOLVED_POP: NextStep("fix", "replace the POP: `prewarm pops` lists the names that are known"),
    Outcome.UNREACHABLE: NextStep(
        "fix", "set nearest, so that another POP of the location takes over, or make the pairs from newer access logs"
    ),
    Outcome.NO_DISTRIBUTION: NextStep(
        "fix",
        "add the host to a distribution's alternate domain names, and that distribution to AllowedDistributions, or "
        "take the URL off the list",
    ),
    Outcome.ORIGIN_OVERLOAD: NextStep("retry", "when the origin has recovered, retry with a lower max_rps"),
    Outcome.REJECTED: NextStep("fix", "correct the request as its error says, then start a new run"),
    Outcome.DEADLINE: NextStep("retry", "retry with a longer timeout_minutes, a higher max_rps or fewer URLs"),
    Outcome.CANCELLED: NextStep("retry", "retry when you want the rest to be warmed"),
    Outcome.LOST: NextStep("retry", "retry; the run's error says why, or else the log of the worker"),
}
# Of targets of a regional run, by the cause of their failure.
REGIONAL_STEPS = {
    UNNAMED: NextStep(
        "fix",
        "enable Server-Timing in the response headers policy of the URL's behavior (a sampling rate of 0 is enough), "
        "or use tier edge",
    ),
    DIRECT: NextStep("fix", "use tier edge: requests for this URL bypass the regional edge caches"),
    OWN_COPIES: NextStep(
        "fix",
        "nothing, if viewers are served by these POPs, which have copies; else use tier edge, or invalidate the URL",
    ),
    SINGLE: NextStep("fix", "select more POPs of the area, such as its country or region, or use tier edge"),
    COLD: NextStep(
        "fix", "raise the TTL (Cache-Control of the origin, or the minimum TTL of the cache policy), or use tier edge"
    ),
}
PUBLISH = NextStep("fix", "publish the file, or take the URL off the list")
UNLOCK = NextStep(
    "fix", "let the origin serve it to CloudFront, or publish it: S3 answers 403 for a missing object as well"
)
LOG_IN = NextStep(
    "fix", "send the Authorization header that the origin asks for (headers), or let it serve the file without one"
)
SHORTEN = NextStep("fix", "shorten the URL, or send fewer headers: the origin refuses the request as too long")
FUNCTION_FAILED = NextStep("fix", "find the function's error in its logs, in the Region near the POP, and correct it")
CONNECT_ORIGIN = NextStep(
    "fix", "check the origin's address, port, certificate and firewall: CloudFront cannot connect to it"
)


# By status, where a 4xx says more than that the request is wrong.
CLIENT_STEPS = {
    "401": LOG_IN,
    "403": UNLOCK,
    "404": PUBLISH,
    "407": LOG_IN,
    "410": PUBLISH,
    "414": SHORTEN,
    "431": SHORTEN,
}


def next_step(kind: Kind) -> NextStep:
    """Return what to do about failures of a kind; `kind.outcome` is an outcome that is not warm."""
    outcome = Outcome(kind.outcome)
    if outcome is Outcome.CLIENT_ERROR and kind.status in CLIENT_STEPS:
        return CLIENT_STEPS[kind.status]
    if outcome is Outcome.SERVER_ERROR and kind.cause in {FUNCTION, UNREACHABLE}:
        return FUNCTION_FAILED if kind.cause == FUNCTION else CONNECT_ORIGIN
    if outcome is Outcome.UNPROVEN and kind.cause in REGIONAL_STEPS:
        return REGIONAL_STEPS[kind.cause]
    return STEPS[outcome]


def main_kind(kinds: Mapping[str, int]) -> Kind | None:
    """Return the kind of most of a URL's failures; None without failures."""
    return Kind.of(max(kinds, key=kinds.__getitem__)) if kinds else None


def step_of(kind: Kind) -> dict[str, str]:
    """Return the next step of a kind of failure as JSON: `outcome`, `do`, `how` and `link`."""
    step = next_step(kind)
    return {"outcome": kind.outcome, "do": step.do, "how": step.how, "link": troubleshooting(kind.outcome)}


def step_text(step: Mapping[str, Any]) -> str:
    """Return a step as every text output prints it: what to do, and where it is explained.

    A step of a run (one of `next_steps`) begins with the URLs that it is about, that of one URL does not.
    """
    about = f"{urls_text(step)}: " if "urls" in step else ""
    return f"{about}{step['how']}; see {step['link']}"


def urls_text(step: Mapping[str, Any]) -> str:
    """Return which URLs a step of a run is about: the first, and how many more.

    Those of earlier versions have only a number of URLs, and the outcome.
    """
    if not step.get("url"):
        return f"{step['outcome']}, {count_of(step['urls'], 'URL')}"
    return str(step["url"]) + (f" and {step['urls'] - 1:,} more" if step["urls"] > 1 else "")


def next_steps(failures: Iterable[tuple[str, Mapping[str, int]]]) -> list[dict[str, Any]]:
    """Return the next steps of a run's failed URLs, the one for most URLs first.

    `failures` has each failed URL with its counts by kind. Each entry is that of `step_of` with `urls`, the number of
    URLs whose main failure it is about, and `url`, the first of them.
    """
    first: dict[Kind, str] = {}
    mains: Counter[Kind] = Counter()
    for url, kinds in failures:
        if kind := main_kind(kinds):
            mains[kind] += 1
            first.setdefault(kind, url)
    steps: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for kind, count in mains.items():
        step = step_of(kind)
        entry = steps.setdefault(tuple(step.items()), step | {"urls": 0, "url": first[kind]})
        entry["urls"] += count
    return [entry for _, entry in sorted(steps.items(), key=lambda item: (-item[1]["urls"], item[0]))]


def remedy_for(action: dict[str, str] | None, steps: list[dict[str, Any]]) -> dict[str, str] | None:
    """Return the recommended action after a run: that of its failures, where a repetition alone would not help.

    `action`: what execution_status.recommended_action says about how the run ended; `steps`: next_steps' result.
    """
    if action is None or action["kind"] != "retry" or not steps:
        return action
    if steps[0]["do"] == "retry":
        return action | {"link": steps[0]["link"]}
    return {"kind": "fix", "how": f"{steps[0]['how']}; then start a new run", "link": steps[0]["link"]}
