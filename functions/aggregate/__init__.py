"""AggregateResults: add up the ledger and decide whether the run is warm."""
