"""WarmBatch: fetch a batch's URLs through its POPs, classify each response, write records and ledger."""

from prewarm.garbage import collect_rarely

# Before the modules are loaded: to look for reference cycles meanwhile is up to a seventh of a cold start's imports.
collect_rarely()
