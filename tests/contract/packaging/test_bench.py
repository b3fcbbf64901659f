"""Each benchmark runs; the figures are not checked."""

import subprocess
import sys

import pytest

from bench.edges import nginx
from tests.support.definitions import ROOT

NEEDS_NGINX = pytest.mark.skipif(nginx() is None, reason="nginx is not installed (Debian: nginx-light)")


def output_of(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, text=True, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@NEEDS_NGINX
@pytest.mark.xdist_group("nginx")
def test_the_comparison_with_peers_runs() -> None:
    output = output_of("bench.warm", "--quick")
    assert "1 KB: CPU, this worker / bare loop" in output
    assert "requests, sessions" in output


@NEEDS_NGINX
@pytest.mark.xdist_group("nginx")
def test_the_benchmark_of_a_whole_run_runs() -> None:
    output = output_of("bench.workflow", "--urls", "5")
    assert "COMPLETED: 320 targets" in output
    assert "peak memory, warm.handler.handler" in output


def test_the_benchmark_of_aggregation_runs() -> None:
    output = output_of("bench.scale", "--urls", "50")
    assert "27,000 targets" in output
    assert "GET /status" in output


def test_the_benchmark_of_polls_runs() -> None:
    output = output_of("bench.polls", "--urls", "50", "--workers", "5", "--seconds", "6")
    assert "3,200 targets, 5 workers" in output
    assert "20 watchers" in output
