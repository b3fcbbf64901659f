import json
import subprocess
from dataclasses import asdict, replace
from typing import Any, ClassVar

import pytest

import bench.measured
import bench.warm
from bench.comparison import BARE, CURL_Z, OURS, Figure
from bench.edges import Edges
from bench.job import PeerFailed
from bench.measured import run_once, without_start
from bench.warm import Setting, best_form, in_turn

READY = Edges({"LAB1-C1": "127.0.77.1"}, 443, "one", "all", can_be_slow=False, counter="http://127.0.77.250/served")
SETTING = Setting({"1k": 100}, (OURS, CURL_Z, "curl processes"), rounds=2, core=None, tries_forms=True)


def runner(monkeypatch: pytest.MonkeyPatch, seconds: dict[tuple[str, int], float]) -> list[tuple[str, int, int]]:
    """Replace the measured process: seconds by client and form, a failure where they are not given."""
    calls = []

    def run_once(name: str, case: str, paths: int, form: int, ready: Any, core: Any) -> Figure:
        calls.append((name, paths, form))
        if (name, form) not in seconds:
            raise PeerFailed(f"no end ({form})")
        return Figure(paths, seconds[name, form], 1.0, None)

    monkeypatch.setattr(bench.warm, "run_once", run_once)
    return calls


def test_each_client_is_measured_in_its_fastest_form_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {(OURS, 0): 1.0, (CURL_Z, 100): 3.0, (CURL_Z, 200): 2.0, (CURL_Z, 300): 4.0, ("curl processes", 0): 9.0}
    calls = runner(monkeypatch, seconds)
    runs = in_turn(SETTING, READY)
    assert calls[3:] == [(OURS, 100, 0), (CURL_Z, 100, 200), ("curl processes", 2, 0)] * 2
    assert [(run.client, run.round) for run in runs] == [
        (name, number) for name in SETTING.clients for number in (1, 2)
    ]
    assert runs[2].form == "HTTP/2, `--parallel-max 200`"


def test_a_form_that_fails_is_not_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    runner(monkeypatch, {(CURL_Z, 300): 4.0})
    assert best_form(CURL_Z, "1k", 100, SETTING, READY) == 300


def test_a_peer_that_fails_in_all_forms_has_the_reason_in_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runner(monkeypatch, {(OURS, 0): 1.0})
    runs = in_turn(SETTING, READY)
    assert [run.failed for run in runs if run.client == CURL_Z] == ["no end (100)"] * 2
    assert [run.figure is None for run in runs] == [False, False, True, True, True, True]


def test_the_measurement_ends_if_this_worker_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    runner(monkeypatch, {})
    with pytest.raises(PeerFailed):
        in_turn(replace(SETTING, clients=(OURS,)), READY)


class Counting(Edges):
    """Edges that count so many requests from one call to the next, the call itself left out."""

    def served(self) -> int:
        self.counts[0] += 4
        return self.counts[0]

    counts: ClassVar = [0]


def test_a_client_whose_requests_nginx_did_not_count_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Figure(4, 1.0, 0.5, 90.0)
    monkeypatch.setattr(bench.measured, "bounded", lambda *_: f"metrics\n{json.dumps(asdict(done))}")
    ready = Counting(**asdict(READY))
    assert run_once(BARE, "1k", 2, 0, ready, None) == done
    with pytest.raises(PeerFailed, match="nginx served 3 requests of 4"):
        run_once(BARE, "1k", 3, 0, ready, None)


def test_a_client_that_does_not_end_has_the_time_and_the_fetches_as_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def bounded(command: list[str], given: str, seconds: float) -> str:
        raise subprocess.TimeoutExpired(command, seconds)

    monkeypatch.setattr(bench.measured, "bounded", bounded)
    with pytest.raises(PeerFailed, match=r"no end after 90 s \(3 fetches\)"):
        run_once(BARE, "1k", 3, 0, Counting(**asdict(READY)), None)


def test_a_client_that_is_not_installed_has_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PeerFailed, match=r"h2load is not installed \(Debian: nghttp2-client\)"):
        run_once("h2load", "1k", 2, 10, READY, None)


def test_the_fastest_start_of_a_program_is_left_out_but_at_most_half() -> None:
    full = Figure(100, 1.0, 0.8, 12.0)
    starts = [Figure(1, 0.2, 0.05, 10.0), Figure(1, 0.1, 0.07, 10.0)]
    assert without_start(full, starts) == Figure(100, 0.9, 0.75, 12.0)
    assert without_start(replace(full, seconds=0.1, cpu=0.06), starts) == Figure(100, 0.05, 0.03, 12.0)
