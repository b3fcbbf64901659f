"""Mutated documents: every parser of sources reads or refuses them, without an exception and in a short time."""

from tests.support.source_fuzz import fuzz

INPUTS, SECONDS = 5_000, 20.0
# Inputs have at most 8 kB.
SLOWEST_SECONDS = 2.0


def test_mutated_documents_are_read_or_refused() -> None:
    figures = fuzz(INPUTS, SECONDS, seed=15)
    assert figures.problems == []
    assert figures.slowest_seconds < SLOWEST_SECONDS
    assert {name for name, _ in figures.results} == {"sitemap", "manifest", "list", "pattern"}
