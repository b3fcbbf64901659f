"""Results: the outcome of a target, the result of a batch, and the roll-up of a run."""
