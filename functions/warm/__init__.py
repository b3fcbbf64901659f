"""WarmBatch: fetch a batch's URLs through its POPs, classify each response, write records and ledger."""
