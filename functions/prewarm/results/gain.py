"""What a run spared the first viewers: first byte of the Miss minus that of the proven Hit, and what was warm. Pure.

A worker counts by location, the ledger stores that as a short text, and `gain_of` adds up the parts. docs/proof.md,
"What the first viewers were spared", says what these figures mean.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import class_middle, classes_at, time_class

PERCENTILES = (50, 95, 99)
WITHOUT_GAIN = "No difference was measured"


@dataclass(slots=True)
class Gain:
    """The counts of some targets.

    `fetched`: targets with a completely fetched copy; `before`: targets whose first fetch found a copy that is older
    than the run; `classes`: by class of difference (gain_class), those with a measured one.
    """

    fetched: int = 0
    before: int = 0
    classes: Counter[int] = field(default_factory=Counter)

    @property
    def pairs(self) -> int:
        """Return the number of targets with a measured difference."""
        return self.classes.total()

    def add(self, other: "Gain") -> None:
        """Add the counts of other targets."""
        self.fetched += other.fetched
        self.before += other.before
        # Counter.update would take most of the time of a status with many parts.
        for number, count in other.classes.items():
            self.classes[number] += count

    def as_json(self) -> dict[str, Any]:
        """Return the counts, and the percentiles of the differences in milliseconds; None without any."""
        spared = {f"p{percent}": class_value(number) for percent, number in classes_at(self.classes, PERCENTILES)}
        return {
            "pairs": self.pairs,
            "sparedMs": spared or None,
            "fetched": self.fetched,
            "warmBefore": self.before,
        }


def gain_class(milliseconds: float) -> int:
    """Return the class of a difference: the class of its size, negative if the Hit was slower."""
    return time_class(milliseconds) if milliseconds >= 0 else -time_class(-milliseconds)


def class_value(number: int) -> float:
    """Return a class's value in milliseconds: accurate to 10 %, or to 1 ms in class 0, which has both signs."""
    if not number:
        return 0.0
    return class_middle(number) if number > 0 else -class_middle(-number)


def pack_gains(gains: Mapping[str, Gain]) -> str:
    """Return counts by location as the ledger stores them; never empty for a part of a batch, which has a POP."""
    return ";".join(
        " ".join([name, str(gain.fetched), str(gain.before), *(f"{n}:{c}" for n, c in sorted(gain.classes.items()))])
        for name, gain in sorted(gains.items())
    )


def unpack_gains(text: str) -> dict[str, Gain]:
    """Return the counts that `pack_gains` packed; none from a part of an earlier version."""
    gains = {}
    for packed in filter(None, text.split(";")):
        name, fetched, before, *classes = packed.split(" ")
        gain = gains[name] = Gain(int(fetched), int(before))
        for each in classes:
            number, _, count = each.partition(":")
            gain.classes[int(number)] = int(count)
    return gains


def gain_of(results: Iterable[BatchResult], verify: str, region_of: Callable[[str], str]) -> dict[str, Any] | None:
    """Return the gain of a run and of its regions; None if no part of it has counts, as in earlier versions.

    `region_of` returns the region of a location or POP. Each has `pairs`, `sparedMs` (p50, p95, p99; None without a
    pair), `fetched` and `warmBefore`, see Gain; the run has them as a sentence too, in `text`.
    """
    locations: defaultdict[str, Gain] = defaultdict(Gain)
    for result in results:
        for location, gain in unpack_gains(result.gain).items():
            locations[location].add(gain)
    regions: defaultdict[str, Gain] = defaultdict(Gain)
    for location, gain in locations.items():
        regions[region_of(location)].add(gain)
    if not regions:
        return None
    whole = Gain()
    for gain in regions.values():
        whole.add(gain)
    ordered = sorted(regions.items(), key=lambda item: (-item[1].fetched, item[0]))
    return whole.as_json() | {
        "text": gain_text(whole, verify),
        "regions": [{"region": name} | gain.as_json() for name, gain in ordered],
    }


def gain_text(gain: Gain, verify: str) -> str:
    """Return the gain as a sentence, or why it was not measured; `verify` is the request's."""
    before = f"{share_text(gain.before, gain.fetched)} were warm before"
    if spared := gain.as_json()["sparedMs"]:
        middle, high = (f"{round(spared[name]):,} ms" for name in ("p50", "p95"))
        return f"First viewers were spared a median of {middle} (p95 {high}) at {_targets(gain.pairs)}; {before}."
    if not gain.fetched:
        return f"{WITHOUT_GAIN}: no target was fetched completely."
    if gain.before == gain.fetched:
        return f"{WITHOUT_GAIN}: all fetched targets ({gain.fetched:,}) were warm before."
    why = "no target has a first Miss and a Hit that proves it"
    if verify == "none":
        why = "with `verify: none`, no Hit followed a Miss"
    return f"{WITHOUT_GAIN}: {why}; {before}."


def share_text(part: int, whole: int) -> str:
    """Return a share in percent, rounded down: 100 % only where it is all, 0 % only without any."""
    percent = 100 * part // whole if whole else 0
    return f"{percent} %" if percent or not part else "under 1 %"


def _targets(count: int) -> str:
    return f"{count:,} {'target' if count == 1 else 'targets'}"
