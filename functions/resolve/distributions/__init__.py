"""Distributions: which one serves a host, and what its settings do."""
