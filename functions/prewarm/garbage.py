"""How often Python looks for reference cycles in the functions, while they are loaded and later."""

import gc

# A worker makes a dozen objects for each response and no cycles, so by Python's usual thresholds (700, 10, 10) it
# traverses its objects, and all imported modules, for a tenth of its time; a status of 50,000 URLs, for a third.
# A library's cycles are still collected: 50,000 objects of a few hundred bytes are at most some megabytes.
THRESHOLDS = (50_000, 20, 20)


def collect_rarely() -> None:
    """Look for cycles rarely from now on, and never in what exists; call it again once all modules are loaded."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
