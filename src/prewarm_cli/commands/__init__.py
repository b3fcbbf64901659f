"""The commands of prewarm, one module each."""
