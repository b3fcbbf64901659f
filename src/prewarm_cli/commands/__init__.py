"""The commands of prewarm, grouped by module."""
