"""Tests of `prewarm doctor`, which share one embedded stack as a fixture of this package."""
