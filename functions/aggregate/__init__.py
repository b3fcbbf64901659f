"""AggregateResults: roll up the ledger and decide whether the run is warm."""

from prewarm.garbage import collect_rarely

# Before the modules are loaded: to look for reference cycles meanwhile is up to a seventh of a cold start's imports.
collect_rarely()
