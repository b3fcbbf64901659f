"""Faults on demand: which fault meets which request, how often, and at which POPs."""

from __future__ import annotations

from dataclasses import dataclass

ORIGIN_FAULTS = ("refused", "truncated", "chunked_cut", "stall", "no_answer", "status")
"""Played between edge and origin; counted once for each fetch from the origin."""

VIEWER_FAULTS = ("reset", "lie_pop", "redirect", "wrong_encoding", "limit", "goaway", "waf_block")
"""Played between edge and viewer; counted once for each viewer request."""

TAKE_AN_ARGUMENT = {"status": True, "lie_pop": False, "limit": False, "goaway": False}
"""Faults written `name:argument`; True where the argument must be there."""


class UnknownFault(ValueError):
    """No such fault; the message lists those there are."""


@dataclass
class Fault:
    """One fault: `pops` None means every POP, `times` None means until it is cleared."""

    name: str
    argument: str
    pops: frozenset[str] | None
    times: int | None


def parse_fault(text: str, pops: list[str] | None = None, times: int | None = None) -> Fault:
    """Read a fault such as `truncated`, `status:503`, `lie_pop:DFW55-C1`, `limit:429` or `goaway:100`."""
    name, _, argument = text.partition(":")
    if name not in ORIGIN_FAULTS + VIEWER_FAULTS:
        raise UnknownFault(f"unknown fault {text!r}; there are: {', '.join(ORIGIN_FAULTS + VIEWER_FAULTS)}")
    if argument and name not in TAKE_AN_ARGUMENT:
        raise UnknownFault(f"fault {name} takes no argument")
    if (not argument and TAKE_AN_ARGUMENT.get(name)) or (name != "lie_pop" and argument and not argument.isdecimal()):
        raise UnknownFault(f"fault {name} takes a number, such as status:503, limit:429 or goaway:100")
    return Fault(name, argument, None if pops is None else frozenset(pops), times)


class FaultBook:
    """The faults in force, by path with query string; `*` as the path means every path."""

    def __init__(self) -> None:
        """Begin without faults."""
        self._by_target: dict[str, list[Fault]] = {}

    def add(self, target: str, fault: Fault) -> None:
        """Put a fault in force; where several match a request, the newest one meets it."""
        self._by_target.setdefault(target, []).insert(0, fault)

    def clear(self, target: str) -> None:
        """End all faults of a path (`*`: those put on every path)."""
        self._by_target.pop(target, None)

    def at_viewer(self, target: str, pop: str) -> Fault | None:
        """Take the fault that this viewer request meets."""
        if not self._by_target:
            return None
        return self._take(target, pop, VIEWER_FAULTS, local=None)

    def at_origin(self, target: str, pop: str, *, local: bool) -> Fault | None:
        """Take the fault that a fetch for this POP meets: `local` ones name the POP, the others no POP at all."""
        if not self._by_target:
            return None
        return self._take(target, pop, ORIGIN_FAULTS, local=local)

    def _take(self, target: str, pop: str, names: tuple[str, ...], *, local: bool | None) -> Fault | None:
        for place in (target, "*"):
            for fault in self._by_target.get(place, ()):
                if fault.name not in names or fault.times == 0:
                    continue
                if (fault.pops is not None and pop not in fault.pops) or local is (fault.pops is None):
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
