"""POPs: which of them are reachable, and what stands in for one that is not."""
