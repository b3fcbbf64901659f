"""What a part of a batch came to: the records' lines and the ledger's item. Pure."""

import json
from collections import Counter
from dataclasses import dataclass, field

from prewarm.outcome import SILENT, WARM, Answer, Outcome
from prewarm.plan import Plan, Skipped
from prewarm.urls import redacted
from prewarm.verdict import BatchResult
from warm.targets import Target, Tile


@dataclass
class Tally:
    """Gathers the finished targets of one part of a batch."""

    plan: Plan
    tile: Tile
    lines: list[str] = field(default_factory=list)
    bytes: int = 0
    verified: int = 0
    _finals: list[tuple[int, int, Outcome]] = field(default_factory=list)
    _details: dict[int, str] = field(default_factory=dict)

    def take(self, target: Target, answer: Answer, outcome: Outcome, detail: str, *, verified: bool = False) -> None:
        """Note a finished target; `answer` is the one that warmed it, or the last one."""
        self.tile.mark_done(target.number)
        self._finals.append((target.url, target.pop, outcome))
        self._details[target.pop] = detail
        self.bytes += target.bytes
        self.verified += verified
        record = {
            "url": redacted(self.tile.urls[target.url]),
            "pop": self.tile.pops[target.pop],
            "variant": self.tile.variants[target.variant],
            "outcome": outcome,
            "detail": detail,
            "status": answer.status,
            "x_cache": answer.x_cache,
            "cf_pop": answer.cf_pop,
            "cf_id": answer.cf_id,
            "age": answer.age,
            "etag": answer.etag,
            "address": answer.address,
            "bytes": answer.bytes,
            "ttfb_ms": round(answer.ttfb_ms, 1),
            "total_ms": round(answer.total_ms, 1),
            "tries": target.tries,
            "verified": verified,
        }
        self.lines.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")))

    def result(self, part: int) -> BatchResult:
        """Return the ledger's item.

        A POP of a country or region at which every target of the tile failed for want of a connection went dark:
        it is left out of the counts and listed, as if the probe had found it so.
        """
        batch, first = self.tile.batch, self.tile.batch.url_from
        dark = self._dark_pops()
        outcomes: Counter[str] = Counter()
        failed: dict[int, Counter[str]] = {}
        for url, pop, outcome in self._finals:
            if pop in dark:
                continue
            outcomes[outcome.value] += 1
            if outcome not in WARM:
                failed.setdefault(first + url, Counter())[outcome.value] += 1
        return BatchResult(
            batch=batch.id,
            part=part,
            group=batch.group,
            url_from=batch.url_from,
            url_to=batch.url_to,
            pops=len(self.tile.pops),
            finished=all(self.tile.is_done(number) for number in range(batch.targets)),
            done=len(self._finals),
            outcomes=dict(outcomes),
            verified=self.verified,
            bytes=self.bytes,
            failed={index: dict(counts) for index, counts in failed.items()},
            dark=tuple(Skipped(self.tile.pops[pop], reason, self._details[pop]) for pop, reason in dark.items()),
        )

    def _dark_pops(self) -> dict[int, str]:
        """Return the tile's dark POPs with their most frequent failure."""
        if self.plan.region_type == "pop":
            return {}
        by_pop: dict[int, Counter[Outcome]] = {}
        for _, pop, outcome in self._finals:
            by_pop.setdefault(pop, Counter())[outcome] += 1
        whole = len(self.tile.urls) * len(self.tile.variants)
        return {
            pop: str(counts.most_common(1)[0][0])
            for pop, counts in by_pop.items()
            if counts.total() == whole and all(outcome in SILENT for outcome in counts)
        }
