"""What one part of a batch came to. Pure."""

from dataclasses import dataclass, field

from prewarm.planning.plan import Skipped


@dataclass(frozen=True)
class BatchResult:
    """What one part of a batch came to; the ledger's item.

    A batch that outlived one worker has several parts, the last of them `finished`. `failed` gives, for each URL
    index, its outcomes that are not warm with their counts; targets at POPs that went `dark` are in no count. `warm`
    gives, in a part that is not the last, how many targets of each URL are warm by it. `layers` counts the layers
    that answered, where Server-Timing told. `contents` has eight hexadecimal digits for each URL and variant: a
    checksum of ETag and length, zeros where none is known; `mixed` names two POPs that hold different contents of a
    URL. `per_pop` has each POP's sums (measures.pack_pops), `times` counts the classes of times to first byte,
    `plain` the fetches by http://; `gb_ms` is what the worker took of Lambda, in GB-milliseconds; `redrives` how
    often the run had been redriven when it began.
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
