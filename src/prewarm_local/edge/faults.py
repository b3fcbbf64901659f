"""Faults on demand: which requests they affect, how often, and at which POPs."""

from __future__ import annotations

from dataclasses import dataclass

ORIGIN_FAULTS = ("refused", "truncated", "chunked_cut", "stall", "no_answer", "status", "unreachable")
"""Faults between edge and origin; counted once per fetch from the origin."""

VIEWER_FAULTS = (
    "reset",
    "lie_pop",
    "redirect",
    "wrong_encoding",
    "limit",
    "capacity",
    "function_error",
    "goaway",
    "waf_block",
    "waf_challenge",
    "waf_captcha",
    "bare",
    "uncompressed",
)
"""Faults between edge and viewer; counted once per viewer request."""

FUNCTION_ERRORS = {
    "": 503,
    "FunctionExecutionError": 503,
    "FunctionThrottledError": 503,
    "LambdaExecutionError": 503,
    "LambdaLimitExceeded": 503,
    "LambdaValidationError": 502,
}
"""Statuses of the failures of CloudFront Functions and Lambda@Edge, by result type; "" is FunctionExecutionError."""

WITH_ARGUMENT = {
    "status": True,
    "lie_pop": False,
    "limit": False,
    "goaway": False,
    "bare": True,
    "function_error": False,
}
"""Faults with the form `name:argument`; True if the argument is required."""


class UnknownFault(ValueError):
    """The fault does not exist; the message lists the valid ones."""


@dataclass
class Fault:
    """A fault: `pops` None means every POP, `times` None means until it is cleared."""

    name: str
    argument: str
    pops: frozenset[str] | None
    times: int | None


def parse_fault(text: str, pops: list[str] | None = None, times: int | None = None) -> Fault:
    """Parse a fault.

    Examples: `truncated`, `status:503`, `lie_pop:DFW55-C1`, `limit:429`, `goaway:100`.
    May raise UnknownFault.
    """
    name, _, argument = text.partition(":")
    if name not in ORIGIN_FAULTS + VIEWER_FAULTS:
        raise UnknownFault(f"unknown fault {text!r}; valid faults: {', '.join(ORIGIN_FAULTS + VIEWER_FAULTS)}")
    if argument and name not in WITH_ARGUMENT:
        raise UnknownFault(f"fault {name} takes no argument")
    if name == "function_error":
        if argument not in FUNCTION_ERRORS:
            raise UnknownFault(f"fault {name} takes one of {', '.join(filter(None, FUNCTION_ERRORS))}")
    elif (not argument and WITH_ARGUMENT.get(name)) or (name != "lie_pop" and argument and not argument.isdecimal()):
        raise UnknownFault(f"fault {name} takes a number, such as status:503, limit:429 or goaway:100")
    return Fault(name, argument, None if pops is None else frozenset(pops), times)


class FaultBook:
    """The active faults, by path with query string; the path `*` means every path."""

    def __init__(self) -> None:
        """Create an empty book."""
        self._by_target: dict[str, list[Fault]] = {}

    def add(self, target: str, fault: Fault) -> None:
        """Activate a fault; if several match a request, the newest applies."""
        self._by_target.setdefault(target, []).insert(0, fault)

    def clear(self, target: str) -> None:
        """Remove all faults of a path (`*`: those for every path)."""
        self._by_target.pop(target, None)

    def at_viewer(self, target: str, pop: str) -> Fault | None:
        """Return and count the fault for a viewer request, or None."""
        if not self._by_target:
            return None
        return self._next(target, pop, VIEWER_FAULTS, local=None)

    def at_origin(self, target: str, pop: str, *, local: bool) -> Fault | None:
        """Return and count the fault for a fetch for this POP, or None.

        `local` selects faults of particular POPs, otherwise faults of all POPs.
        """
        if not self._by_target:
            return None
        return self._next(target, pop, ORIGIN_FAULTS, local=local)

    def _next(self, target: str, pop: str, names: tuple[str, ...], *, local: bool | None) -> Fault | None:
        for path in (target, "*"):
            for fault in self._by_target.get(path, ()):
                if fault.name not in names or fault.times == 0:
                    continue
                if (fault.pops is not None and pop not in fault.pops) or local is (fault.pops is None):
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
