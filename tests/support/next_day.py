"""The next day's hits at a simulated CloudFront, after a night in which nothing, pairs, or all URLs were warmed.

Traffic is played and logged, the logs are read by `prewarm traffic`, the caches are emptied, the pairs are warmed by
the service, and the next day is played.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from prewarm_cli.main import app
from tests.support.service import HOST, Service
from tests.support.viewers import Asked, Demand, Logged, play, read_logs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from prewarm_local.edge.process import SimulatedCloudFront

DAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
NIGHT, NEXT_DAY = DAY + timedelta(hours=18), DAY + timedelta(days=1)
LONGEST_RUN_SECONDS = 1_800
# One URL in twenty is new on the next day: 5 %.
NEW_EVERY = 20


@dataclass(frozen=True)
class Outcome:
    """A night and the day after it: the folder of their logs, what these say, and the hits of the POPs' own caches.

    In logs a hit of the regional edge cache is a Hit too; `pop_hits`, a part of all requests, is from the edge's
    counters.
    """

    logs: Path
    logged: Logged
    pop_hits: float


def first_day(edge: SimulatedCloudFront, requests: list[Asked], folder: Path) -> None:
    """Play requests at empty caches, and write their log to a folder."""
    edge.purge(["/*"])
    _logged_day(edge, requests, folder, DAY)


def next_day(
    edge: SimulatedCloudFront, requests: list[Asked], folder: Path, warm_up: Callable[[], object] | None = None
) -> Outcome:
    """Empty the caches, warm them up, and play the requests; both are logged."""
    edge.purge(["/*"])
    edge.log_to(folder / "night", NIGHT)
    if warm_up is not None:
        warm_up()
    edge.deliver_logs()
    before = edge.stats()["edge"]["hits"]
    _logged_day(edge, requests, folder / "day", NEXT_DAY)
    hits = edge.stats()["edge"]["hits"] - before
    return Outcome(folder, read_logs(folder.rglob("*.gz")), hits / len(requests))


def traffic(*arguments: Path | str) -> dict[str, Any]:
    """Return the JSON of `prewarm traffic`."""
    document: dict[str, Any] = json.loads(_command("traffic", *map(str, arguments), "--json"))
    return document


def warm(service: Service, *options: str) -> dict[str, Any]:
    """Start a run with the command, wait for its end, and return its status."""
    status = service.statuses(_command("start", *options, service=service).strip(), LONGEST_RUN_SECONDS)[-1]
    assert status["status"] == "COMPLETED", (status["error"], status["targets"])
    return status


def rectangle(demand: Demand, file: Path) -> list[str]:
    """Return the options of a run of all URLs through all POPs; the file takes the URLs."""
    file.write_text("".join(f"https://{HOST}{path}\n" for path in demand.paths))
    return ["--file", str(file), *(each for pop in demand.pops for each in ("--pop", pop))]


def best_hits(demand: Demand, requests: list[Asked]) -> float:
    """Return the hits that a run of all URLs through all POPs gives at best, as a part of all requests."""
    cached = {(path, pop) for path in demand.paths for pop in demand.pops}
    hits = 0
    for asked in requests:
        hits += asked in cached
        cached.add(asked)
    return hits / len(requests)


def planned_fetches(service: Service, options: list[str]) -> int:
    """Return the fetches that a run would make, with its proofs, as its dry run says."""
    document = json.loads(_command("start", *options, "--dry-run", "--json", service=service))
    return int(document["dryRun"]["fetches"])


def _command(*arguments: str, service: Service | None = None) -> str:
    own = {"PREWARM_API_URL": service.ready["api"], "PREWARM_API_KEY": service.ready["apiKey"]} if service else {}
    result = CliRunner().invoke(app, arguments, env=own, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def _logged_day(edge: SimulatedCloudFront, requests: list[Asked], folder: Path, at: datetime) -> None:
    """Play requests and write their log, which must have them as the viewers saw them."""
    edge.log_to(folder, at)
    seen = play(edge, HOST, requests)
    files = edge.deliver_logs()
    edge.log_to(None)
    assert read_logs(files) == Logged(seen, Counter())
