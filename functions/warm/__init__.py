"""WarmBatch: fetch a batch's URLs through its POPs, judge each answer, write records and ledger."""
