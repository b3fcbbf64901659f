"""WarmBatch: fetch a batch's URLs through its POPs, judge each response, write records and ledger."""
