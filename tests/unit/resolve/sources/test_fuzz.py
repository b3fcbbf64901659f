"""Every parser of sources reads a mutated document or refuses it: no exception, and no slow input."""

import pytest

from tests.support.source_fuzz import fuzz
from tests.support.source_mutations import SUFFIXES

INPUTS, SECONDS = 700, 6.0
# Inputs have at most 8 kB.
SLOWEST_SECONDS = 2.0


@pytest.mark.parametrize("parser", SUFFIXES)
def test_mutated_documents_are_read_or_refused(parser: str) -> None:
    figures = fuzz(parser, 0, INPUTS, SECONDS, seed=15)
    assert figures.problems == []
    assert figures.slowest_seconds < SLOWEST_SECONDS
    assert set(figures.results) <= {"read", "refused"}
    assert figures.results["read"] > 0
