"""The result of one part of a batch. Pure."""

from dataclasses import dataclass, field

from prewarm.planning.plan import Skipped
from prewarm.results.failures import Example

Packed = bytes
# A part's batch and its number.
PartKey = tuple[str, int]


@dataclass(frozen=True)
class BatchResult:
    """The result of one part of a batch; storage.ledger_items makes it the ledger's item.

    A batch that needs more time than one worker has consists of several parts, the last of them `finished`.

    - `failed`: by URL index, the counts of its failures by kind, which is outcome, HTTP status and cause
      (failures.failure_kind); targets at `dark` POPs are in no count
    - `warm`: by URL index, how many targets this part warmed; empty in the last part
    - `layers`: how often each layer answered, where the distribution sends Server-Timing
    - `contents`: eight hexadecimal digits for each URL and variant: a checksum of ETag and length, zeros if unknown
    - `mixed`: by URL index, two POPs that hold different contents
    - `per_pop`: each POP's sums (stats.pack_pops)
    - `times`: counts by class of time to first byte (stats.time_class)
    - `plain`: the number of fetches by http://
    - `gb_ms`: the Lambda time that the worker used, in GB-milliseconds
    - `redrives`: how often the run had been redriven when the worker started
    - `attempt`: the id of the invocation that owns this part; empty in results of earlier versions
    - `previous`: the `attempt` of the part before, whose cursor this one continues; empty in part 0
    - `examples`: one failure of each URL that has any, with what the edge answered (failed_examples)
    - `verified_in_pop`: how many of the verified targets have a proof that names the POP's own cache layer
    - `vary`: by header that responses name in Vary and the cache key does not have: targets, first URL index
    - `verified_elsewhere`: how many have a proof at another address of the POP than the one that fetched the copy
    - `servers`: by POP, the addresses at which a copy was proven (proven_servers.pack_servers)
    - `encodings`: a letter for each URL and variant (encodings.letter_of), in the order of `contents`
    - `targets`: the targets of the whole batch; 0 in results of earlier versions, whose batches are rectangles
    - `uncompressed`, `plain_copies`: POPs with plain copies, unexpected ones and others (encodings.pack)
    - `short_lived`: when copies that live less than a day expire, by URL (short_lived.pack_short_lived)
    - `gain`: what first viewers were spared, by location (gain.pack_gains); empty in results of earlier versions
    """

    batch: str
    part: int
    group: int
    url_from: int
    url_to: int
    pops: int
    finished: bool
    done: int
    outcomes: dict[str, int]
    verified: int
    bytes: int
    failed: dict[int, dict[str, int]] = field(default_factory=dict)
    dark: tuple[Skipped, ...] = ()
    pop_from: int = 0
    warm: dict[int, int] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)
    contents: str = ""
    mixed: dict[int, tuple[str, str]] = field(default_factory=dict)
    per_pop: str = ""
    times: dict[int, int] = field(default_factory=dict)
    plain: int = 0
    gb_ms: int = 0
    redrives: int = 0
    attempt: str = ""
    previous: str = ""
    examples: tuple[Example, ...] = ()
    verified_in_pop: int = 0
    vary: dict[str, tuple[int, int]] = field(default_factory=dict)
    verified_elsewhere: int = 0
    servers: str = ""
    encodings: str = ""
    uncompressed: Packed = b""
    plain_copies: Packed = b""
    targets: int = 0
    gain: str = ""
    short_lived: Packed = b""


def slim(part: BatchResult, *kept: str) -> BatchResult:
    """Return a part with only what says where it belongs, and the named fields."""
    values = {name: getattr(part, name) for name in kept}
    return BatchResult(
        part.batch, part.part, part.group, part.url_from, part.url_to, part.pops, finished=True, done=0,
        outcomes={}, verified=0, bytes=0, pop_from=part.pop_from, **values,
    )  # fmt: skip
