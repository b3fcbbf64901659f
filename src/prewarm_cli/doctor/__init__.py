"""`prewarm doctor`: check a deployment from end to end, and write an acceptance report."""
