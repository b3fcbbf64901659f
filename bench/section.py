"""What a benchmark measures: a section of docs/performance.md, with the targets that it is held to.

A module with a section has `measure(*, quick: bool = False) -> Section`, and its name is in `SECTIONS` of
`bench/__main__.py`. `quick` means a small size that only shows that the module runs. A module that cannot measure
(nginx is missing) ends with `sys.exit("the reason")`: the page prints the reason, and keeps the figures that it has.
"""

import datetime as dt
import os
import platform
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Target:
    """A figure with its bound.

    `measured`: None if it was not measured, then `why` has the reason. `unit`: follows the figure, such as " s" or
    " MB"; a ratio has none. `why`: the cause of a target that is missed.
    """

    name: str
    measured: float | None
    bound: float
    unit: str = ""
    at_least: bool = False
    why: str = ""

    @property
    def met(self) -> bool:
        """Return whether the figure was measured and keeps the bound."""
        if self.measured is None:
            return False
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    @property
    def verdict(self) -> str:
        """Return "met" or "missed", with the distance from the bound as a share of the bound."""
        if self.measured is None:
            return f"not measured: {self.why or 'no figure'}"
        distance = abs(self.measured - self.bound)
        by = percent(100 * distance / abs(self.bound)) if self.bound else f"{figure(distance)}{self.unit}"
        if not self.met:
            return f"missed by {by}{f': {self.why}' if self.why else ''}"
        return f"met, {by} {'above' if self.at_least else 'below'}" if distance else "met"


@dataclass(frozen=True)
class Section:
    """A part of the page: a table, the sentences before it, and targets.

    `versions`: of the programs and packages that took part, for the page's head. `raw`: the figures of each run, from
    which the rows were computed, as JSON has them.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    raw: Any = None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: {len(self.columns)} columns, but a row has {len(row)}: {row}")

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the section that `dataclasses.asdict` and JSON have stored."""
        rows = tuple(tuple(row) for row in stored["rows"])
        targets = tuple(Target(**each) for each in stored["targets"])
        changed = {"columns": tuple(stored["columns"]), "rows": rows, "notes": tuple(stored["notes"])}
        return cls(**stored | changed | {"targets": targets})


@dataclass(frozen=True)
class Machine:
    """Where and when a section was measured. `load`: the load averages of the last minute, before and after."""

    at: str
    seconds: float
    load: tuple[float, float]
    cores: int
    kind: str
    python: str

    @classmethod
    def now(cls, began: dt.datetime, load_before: float) -> Self:
        """Return this machine, at the end of a measurement that began then."""
        took = (dt.datetime.now(dt.UTC) - began).total_seconds()
        load = (round(load_before, 1), round(os.getloadavg()[0], 1))
        cores = len(os.sched_getaffinity(0))
        at = f"{began:%Y-%m-%d %H:%M} UTC"
        return cls(at, round(took), load, cores, platform.machine(), platform.python_version())

    def __str__(self) -> str:
        before, after = self.load
        return (
            f"Measured {self.at} on {self.cores} cores ({self.kind}, Python {self.python}) in {self.seconds:,.0f} s; "
            f"load average {before:.1f} before and {after:.1f} after."
        )


@dataclass(frozen=True)
class Result:
    """The last figures of a section, and why the last try failed, if it did.

    `failed`: the reason with its date, empty after a success. A section that was never measured has a reason only.
    """

    section: Section | None = None
    machine: Machine | None = None
    failed: str = ""

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the result that `to_json` stored."""
        section, machine = stored["section"], stored["machine"]
        if machine is not None:
            machine = Machine(**machine | {"load": tuple(machine["load"])})
        return cls(section and Section.from_json(section), machine, stored["failed"])

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        return asdict(self)


def figure(value: float) -> str:
    """Return a number with about three significant digits: 1,234, 12.3, 1.23, 0.012."""
    size = abs(value)
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:,.{digits}f}"


def percent(value: float) -> str:
    """Return a share in percent: 12 %, 3.4 %, less than 0.1 %."""
    if 0 < value < 0.1:
        return "less than 0.1 %"
    rounded = round(value, 1)
    return f"{rounded:,.0f} %" if rounded >= 10 or rounded == int(rounded) else f"{rounded:.1f} %"


def spread(values: list[float], middle: float) -> float:
    """Return the machine's noise: the distance of the largest from the smallest, in percent of the middle."""
    return 100 * (max(values) - min(values)) / middle if middle else 0.0
