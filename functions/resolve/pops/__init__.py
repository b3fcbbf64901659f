"""POPs: which to warm, their addresses, whether they are reachable, and substitutes for those that are not."""
