"""Distributions: which one serves a host, and how its settings affect a run."""
