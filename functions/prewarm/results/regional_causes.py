"""Why a target of a regional run is unproven: the `cause` of such a failure, in words. Pure.

What to do about each is in next_steps.py.
"""

UNNAMED, DIRECT, OWN_COPIES, SINGLE, COLD = "unnamed", "direct", "own_copies", "single_pop", "cold"
IN_WORDS = {
    UNNAMED: "no Server-Timing says which cache answered, so nothing is known about the regional edge cache",
    DIRECT: "the POP asked the origin itself: these requests bypass the regional edge cache",
    OWN_COPIES: "the area's POPs answered from their own copies, which show nothing about the regional edge cache",
    SINGLE: "the area has one POP in this run, so no other one can show what the regional edge cache has",
    COLD: "the regional edge cache asked the origin for it each time, or its other POPs did not answer",
}
