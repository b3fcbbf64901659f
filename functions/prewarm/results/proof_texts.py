"""The texts for what a run's proofs show; the only source for report, dashboard and command. Pure.

docs/proof.md explains both.
"""

# Of `verifiedInPop`: the Hit names the POP's own cache (Server-Timing); without it, it may be the regional cache's.
IN_POP = "confirmed by Server-Timing as the POP's own copy"
# Of `verifiedElsewhere`: a POP has several addresses, which share a cache if a copy is found through another one.
ELSEWHERE = "found at another address of the POP"
