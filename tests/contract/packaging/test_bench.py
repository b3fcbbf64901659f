"""The benchmark runs: a look at each of its parts, without a word on how fast it is."""

import subprocess
import sys

import pytest

from bench.edges import nginx
from tests.support.definitions import ROOT

NEEDS_NGINX = pytest.mark.skipif(nginx() is None, reason="nginx is not installed (Debian: nginx-light)")


def ran(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, text=True, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@NEEDS_NGINX
@pytest.mark.xdist_group("nginx")
def test_the_comparison_with_peers_runs() -> None:
    told = ran("bench.warm", "--quick")
    assert "1 KB: CPU, this worker / bare loop" in told
    assert "requests, sessions" in told


@NEEDS_NGINX
@pytest.mark.xdist_group("nginx")
def test_a_whole_run_before_nginx_runs() -> None:
    told = ran("bench.workflow", "--urls", "20")
    assert "COMPLETED: 1,280 targets" in told
    assert "peak memory, warm.handler.handler" in told


def test_the_aggregate_of_a_big_run_is_measured() -> None:
    told = ran("bench.scale", "--urls", "200")
    assert "107,400 targets" in told
    assert "GET /status" in told
