"""Record the finished targets of a part of a batch: compressed records, and sums for the ledger item. Pure."""

import json
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from prewarm.fetcher.response import Response
from prewarm.planning.plan import Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.consistency import Contents
from prewarm.results.encodings import PlainPops
from prewarm.results.failures import HEADER_CHARACTERS, Example, Examples
from prewarm.results.gain import Gain, gain_class
from prewarm.results.outcome import WARM, Outcome
from prewarm.results.server_errors import cause_of
from prewarm.results.short_lived import pack_short_lived
from prewarm.results.stats import PopSums, pack_pops, time_class
from prewarm.results.vary import Varied, count, unkeyed_names
from prewarm.urls import redacted
from warm.copy_lifetime import Expiries
from warm.dark_pops import Failure, dark_columns, is_silent
from warm.gains import packed_gains
from warm.record_line import record_line
from warm.target import Target
from warm.tile import Tile

# Fast and still ten times smaller: compression must not cost more than a fetch. 31: a gzip header.
_compressor = partial(zlib.compressobj, level=1, wbits=31)
LINES_AT_ONCE = 200
# Characters kept of a dark POP's detail in the ledger's item, which has at most 400 KB; the record has all of it.
DETAIL_CHARACTERS = 200


@dataclass
class Recorder:
    """Collects the finished targets of one part of a batch; its memory grows with URLs and failures only."""

    plan: Plan
    tile: Tile
    total_bytes: int = 0
    verified: int = 0
    verified_in_pop: int = 0
    verified_elsewhere: int = 0
    done: int = 0
    _lines: list[str] = field(default_factory=list)
    _gzip: Any = field(default_factory=_compressor)
    _packed: bytearray = field(default_factory=bytearray)
    _outcomes: Counter[Outcome] = field(default_factory=Counter)
    _layers: Counter[str] = field(default_factory=Counter)
    _warm: Counter[int] = field(default_factory=Counter)
    _failures: list[Failure] = field(default_factory=list)
    _examples: Examples = field(default_factory=Examples)
    _details: dict[int, str] = field(default_factory=dict)
    _redacted: dict[int, str] = field(default_factory=dict)
    _times: Counter[int] = field(default_factory=Counter)
    _plain: int = 0
    _varied: Varied = field(default_factory=dict)
    _per_pop: list[PopSums] = field(init=False)
    _gains: list[Gain] = field(init=False)
    _contents: Contents = field(init=False)
    _plain_urls: frozenset[int] = field(init=False)
    _expiries: Expiries = field(init=False)
    _plain_pops: PlainPops = field(default_factory=PlainPops)

    def __post_init__(self) -> None:
        """Create the sums that need the size of the tile."""
        self._contents = Contents(len(self.tile.variants))
        self._expiries = Expiries(self.tile)
        self._per_pop = [PopSums() for _ in self.tile.pops]
        self._gains = [Gain() for _ in self.tile.pops]
        self._plain_urls = frozenset(url for url, text in enumerate(self.tile.urls) if text.startswith("http:"))

    def record(
        self,
        target: Target,
        response: Response,
        outcome: Outcome,
        detail: str,
        *,
        verified: bool = False,
        named: bool = False,
    ) -> None:
        """Record a finished target; `response` is the one that warmed it, or else the last one.

        `named`: Server-Timing named the POP itself as the layer of the proof.
        """
        self.done += 1
        self.verified += verified
        self.verified_in_pop += named
        self.verified_elsewhere += verified and target.elsewhere
        self._outcomes[outcome] += 1
        warm = outcome in WARM
        self._measure(target, response, warm=warm)
        layer = response.layer if response.server_timing else ""
        if layer:
            self._layers[layer] += 1
        if warm:
            self._warm[target.url] += 1
            if outcome is Outcome.ALREADY_WARM and target.before:
                self._gains[target.pop].before += 1
            elif target.spared_ms is not None:
                self._gains[target.pop].classes[gain_class(target.spared_ms)] += 1
            self._contents.add(target.url, target.variant, target.pop, response)
            self._expiries.add(target, response, time.time(), verified=verified)
            if response.vary and self.tile.harmless_vary is not None:
                harmless = self.tile.harmless_vary[target.url]
                count(self._varied, unkeyed_names(response.vary, harmless), self.tile.cells.rows[target.url])
            number = target.url * len(self.tile.variants) + target.variant
            self._plain_pops.add(number, target.pop, response.encoding, unexpected=target.plain_at > 0)
        else:
            if target.first is not None or target.fetched:
                self._gains[target.pop].fetched += 1
            example = self._example(target, response, outcome)
            silent = is_silent(target, outcome)
            self._failures.append(Failure(target.url, target.pop, outcome, example.kind, example.pop, silent))
            self._details[target.pop] = detail[:DETAIL_CHARACTERS]
            self._examples.add(example)
        proof_pop = self.tile.pop_of(target) if verified and self.tile.carriers else ""
        forms, variant = self._forms(target.url), self.tile.variant_of(target)
        pop = self._pop_of(target, response)
        line = record_line(
            forms,
            pop,
            variant,
            outcome,
            detail,
            response,
            layer=layer,
            tries=target.tries,
            proof_pop=proof_pop,
            verified=verified,
        )
        self._lines.append(line)
        if len(self._lines) >= LINES_AT_ONCE:
            self._pack()

    def _measure(self, target: Target, response: Response, *, warm: bool) -> None:
        pop = self._per_pop[target.pop]
        pop.done += 1
        pop.warm += warm
        if milliseconds := response.ttfb_ms:
            pop.millis += round(milliseconds)
            pop.timed += 1
            self._times[time_class(milliseconds)] += 1
        self.count_fetches(target)

    def count_fetches(self, target: Target) -> None:
        """Count this worker's fetches of a target, and their bytes, also of one that is left unfinished."""
        pop, tries = self._per_pop[target.pop], target.tries - target.carried
        pop.fetches += tries
        pop.bytes += target.bytes
        self.total_bytes += target.bytes
        if target.url in self._plain_urls:
            self._plain += tries

    def _example(self, target: Target, response: Response, outcome: Outcome) -> Example:
        url, pop = self.tile.cells.rows[target.url], self._pop_of(target, response)
        x_cache, cf_id = response.x_cache[:HEADER_CHARACTERS], response.cf_id[:HEADER_CHARACTERS]
        cause = cause_of(response) if outcome is Outcome.SERVER_ERROR else target.cause
        return Example(url, pop, outcome.value, response.status, x_cache, cf_id, cause)

    def _pop_of(self, target: Target, response: Response) -> str:
        """Return the POP of a recorded response: in a regional run the one of the area that was asked."""
        if self.tile.carriers and response is target.first and target.filler >= 0:
            return self.tile.carriers[target.pop][target.filler][0]
        return self.tile.pop_of(target)

    def _forms(self, url: int) -> str:
        """Return a URL as given, and as fetched where that differs, without secrets; the same for each POP."""
        forms = self._redacted.get(url)
        if forms is None:
            fetched, given = self.tile.urls[url], self.tile.given.get(url)
            members = {"url": redacted(given), "fetched": redacted(fetched)} if given else {"url": redacted(fetched)}
            forms = self._redacted[url] = json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1]
        return forms

    def records(self) -> bytes:
        """Return all records, gzipped; nothing can be recorded after that."""
        self._pack()
        self._packed += self._gzip.flush()
        return bytes(self._packed)

    def _pack(self) -> None:
        if self._lines:
            self._packed += self._gzip.compress(("\n".join(self._lines) + "\n").encode())
            self._lines.clear()

    def result(self, part: int, gb_ms: int = 0, redrives: int = 0, servers: str = "") -> BatchResult:
        """Return the part's result.

        `gb_ms`: the Lambda time that the worker used, in GB-milliseconds; `servers`: the addresses at which it proved
        copies, packed.

        A POP of a country or region at which every target of the tile failed without an answer is dark: it is listed
        and left out of the counts, as if the probe had skipped it.
        """
        batch, rows, pops = self.tile.batch, self.tile.cells.rows, self.tile.pops
        dark = {} if self.plan.region_type == "pop" else dark_columns(self.tile, self._failures)
        outcomes = Counter({outcome.value: count for outcome, count in self._outcomes.items()})
        failed: dict[int, Counter[str]] = {}
        counted = [failure for failure in self._failures if failure.pop not in dark]
        for failure in counted:
            failed.setdefault(rows[failure.url], Counter())[failure.kind] += 1
        outcomes -= Counter(failure.outcome.value for failure in self._failures if failure.pop in dark)
        finished = self.tile.finished
        return BatchResult(
            batch=batch.id,
            part=part,
            group=batch.group,
            url_from=batch.url_from,
            url_to=batch.url_to,
            pop_from=batch.pop_from,
            pops=len(pops),
            finished=finished,
            done=self.done,
            outcomes=dict(outcomes),
            verified=self.verified,
            bytes=self.total_bytes,
            failed={index: dict(counts) for index, counts in failed.items()},
            warm={} if finished else {rows[url]: count for url, count in self._warm.items()},
            dark=tuple(Skipped(pops[pop], reason, self._details[pop]) for pop, reason in dark.items()),
            layers=dict(self._layers),
            contents=self._contents.checksums(len(self.tile.urls)),
            mixed={rows[url]: (pops[a], pops[b]) for url, (a, b) in self._contents.mixed.items()},
            per_pop=pack_pops(self._per_pop),
            times=dict(self._times),
            plain=self._plain,
            gb_ms=gb_ms,
            redrives=redrives,
            examples=self._examples.chosen((rows[each.url], each.kind, each.name) for each in counted),
            verified_in_pop=self.verified_in_pop,
            vary=dict(self._varied),
            verified_elsewhere=self.verified_elsewhere,
            servers=servers,
            encodings=self._plain_pops.mark(self._contents.encodings(len(self.tile.urls))),
            uncompressed=self._plain_pops.uncompressed(),
            plain_copies=self._plain_pops.plain(),
            targets=batch.targets,
            gain=packed_gains(self.plan, self.tile.pops, self._per_pop, self._gains),
            short_lived=pack_short_lived(self._expiries.urls),
        )
