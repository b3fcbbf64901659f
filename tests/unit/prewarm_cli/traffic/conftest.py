from pathlib import Path

import pytest

from tests.support.traffic import Analyse, analyser


@pytest.fixture
def analysed(tmp_path: Path) -> Analyse:
    """Return a function that analyses files and returns the result."""
    return analyser(tmp_path)
