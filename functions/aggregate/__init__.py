"""AggregateResults: roll up the ledger and decide whether the run is warm."""
