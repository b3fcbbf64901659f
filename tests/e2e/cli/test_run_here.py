"""Commands without a deployed service: `run` warms from this machine, `configure` prompts on the terminal."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from prewarm_cli.config import read_config
from prewarm_cli.main import app
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.service import COMMANDS_SERVICE, DOMAIN, HOST
from tests.support.terminal import environment, piped, terminal

pytestmark = COMMANDS_SERVICE

PAGE, SLOW = f"https://{HOST}/page/51.html", f"https://{HOST}/slow.html"
REFUSED = f"https://{HOST}/refused.html"
HERE = ["--distribution", f"{DOMAIN}={HOST}"]


def children_of(pid: int) -> set[int]:
    """Return the ids of all descendants of a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pids = {int(child) for child in children}
    return pids.union(*(children_of(pid) for pid in pids))


def here(*arguments: str, **settings: str) -> Result:
    """Run the command in this process, which has the stack's imports; its functions have processes of their own."""
    own = {name: None for name in os.environ if name.startswith("PREWARM_")}
    shown = {"XDG_CONFIG_HOME": "/nonexistent", "TERM": "xterm", "COLUMNS": "110"}
    return CliRunner().invoke(app, arguments, env=own | shown | settings)


def test_run_warms_from_this_machine_and_exits_0(edge: SimulatedCloudFront) -> None:
    settings = edge.settings()
    done = piped(None, "run", PAGE, "--country", "singapore", *HERE, "--json", **settings)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["successUrl"] == [PAGE]


def test_failed_run_suggests_no_retry_on_the_ended_service(edge: SimulatedCloudFront) -> None:
    settings = edge.settings() | {"PREWARM_ERROR_CACHE_SECONDS": "1"}
    done = here("run", REFUSED, "--country", "singapore", *HERE, **settings)
    assert done.exit_code == 1, done.stderr
    assert "remedy   fix the cause above, then run the command again" in done.stdout
    assert "prewarm retry" not in done.stdout + done.stderr


@pytest.mark.parametrize("more", [["--dry-run"], []], ids=["dry run", "run"])
@pytest.mark.parametrize("selection", [["--region", "eu"], ["--pop", "FRA50-C1"]])
def test_distribution_that_does_not_exist_exits_2(
    edge: SimulatedCloudFront, selection: list[str], more: list[str]
) -> None:
    unknown = ["--distribution", f"d999nowhere.cloudfront.net={HOST}"]
    done = here("run", PAGE, *selection, *more, *unknown, **edge.settings())
    shown = done.stdout + done.stderr
    assert done.exit_code == 2, shown
    assert "no nameserver knows d999nowhere.cloudfront.net, so there is no such distribution" in shown
    assert "does this machine have DNS?" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("option", [["--invalidate"], ["--invalidate-path", "/*"]])
def test_invalidation_is_refused_without_an_account(edge: SimulatedCloudFront, option: list[str]) -> None:
    done = here("run", PAGE, "--region", "eu", *option, *HERE, **edge.settings())
    shown = done.stdout + done.stderr
    assert done.exit_code == 2, shown
    assert "cannot invalidate; use `aws cloudfront create-invalidation`" in " ".join(shown.split())


def test_machine_without_dns_exits_2_and_names_the_reason(edge: SimulatedCloudFront) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        settings = edge.settings() | {"PREWARM_NAMESERVERS": f"127.0.0.1:{silent.getsockname()[1]}"}
        done = here("run", PAGE, "--country", "singapore", *HERE, **settings)
    shown = done.stdout + done.stderr
    assert done.exit_code == 2, shown
    assert "does this machine have DNS?" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_run_and_all_of_its_processes(edge: SimulatedCloudFront, number: int) -> None:
    arguments = ["run", PAGE, SLOW, "--country", "singapore,au,DE", "--max-concurrency", "1", *HERE]
    with terminal(None, *arguments, **edge.settings()) as shown:
        shown.until(lambda text: "URLs" in text)
        started = children_of(shown.process.pid)
        assert started, shown.shown
        # As a terminal sends it: to all processes in the foreground.
        os.killpg(shown.process.pid, number)
        assert shown.end() == 130
    assert "stopped the run" in shown.shown
    assert "Traceback" not in shown.shown
    assert "was not delivered" not in shown.shown
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


def test_configure_prompts_without_echoing_the_key(tmp_path: Path) -> None:
    with terminal(None, "configure", "--no-check", XDG_CONFIG_HOME=str(tmp_path)) as shown:
        shown.until(lambda text: "API address" in text)
        shown.type("https://abc123.execute-api.eu-west-1.amazonaws.com/v1/\n")
        shown.until(lambda text: "not shown" in text)
        shown.type("a-secret-key\n")
        assert shown.end() == 0, shown.shown
    assert "a-secret-key" not in shown.shown
    filed = read_config(tmp_path / "prewarm" / "config.toml")
    assert filed == {"api_url": "https://abc123.execute-api.eu-west-1.amazonaws.com/v1", "api_key": "a-secret-key"}


def test_help_works_without_configuration() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("prewarm"), "--help"],
        env=environment(None),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert "configure" in done.stdout
