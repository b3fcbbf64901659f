"""`prewarm demo`, as the README's first command runs it."""

import os
from pathlib import Path

import pytest

from tests.support.demo import check_demo
from tests.support.service import PREWARM, ROOT


@pytest.mark.xdist_group("demo")
@pytest.mark.skipif(os.environ.get("CI") == "true", reason="CI checks the demo of the installed wheel: test_wheel.py")
def test_demo_keep_shows_a_failed_and_a_completed_run_and_keeps_serving(tmp_path: Path) -> None:
    """A single demo, since each takes 32 s of CPU: `--keep` runs the same demo and then serves."""
    check_demo(PREWARM, ROOT, os.environ, tmp_path)
