"""The `prewarm` command."""
