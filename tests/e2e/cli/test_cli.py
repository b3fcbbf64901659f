"""The command against the whole service: on a terminal and in a pipe, interrupted, cancelled and retried."""

import json
import re
import signal
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.support.service import COMMANDS_SERVICE, HOST, Service
from tests.support.terminal import piped, terminal

pytestmark = COMMANDS_SERVICE

GOOD = [f"https://{HOST}/page/{number}.html" for number in range(40, 50)]
REFUSED, SLOW = f"https://{HOST}/refused.html", f"https://{HOST}/slow-1.html"
NEAR = ["--country", "singapore"]
# One batch at a time, so that progress is visible.
FAR = ["--country", "singapore,south_korea,australia,DE", "--max-concurrency", "1"]


def test_start_wait_on_a_terminal_shows_bars_and_the_result(service: Service) -> None:
    with terminal(service, "start", *GOOD, *FAR, "--wait") as shown:
        assert shown.end() == 0
    assert "\x1b[" in shown.shown
    assert "━" in shown.shown
    for part in ("URLs", "targets", "10/10", ": 10 of 10 URLs warm"):
        assert part in shown.shown


def test_start_wait_in_a_pipe_prints_lines_and_failed_run_exits_1_with_junit(
    service: Service, tmp_path: Path
) -> None:
    urls, report = tmp_path / "urls.txt", tmp_path / "junit.xml"
    urls.write_text("# one is broken\n" + "\n".join([*GOOD[:3], REFUSED]))
    arguments = ["start", "--file", str(urls), *NEAR, "--wait", "--junit", str(report)]
    # FORCE_COLOR must not put escape sequences into a pipe.
    done = piped(service, *arguments, FORCE_COLOR="1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    assert "IN_PROGRESS, resolving: 0 of 4 URLs" in done.stdout
    assert re.search(r"FAILED after \d+ s: 3 of 4 URLs warm, 1 failed", done.stdout)
    suite = ET.parse(report).find("testsuite")
    assert suite is not None
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("4", "1")
    (failed,) = (case for case in suite.iter("testcase") if len(case))
    assert failed.attrib["name"] == REFUSED
    message = failed[0].attrib["message"]
    assert "502 (the edge could not connect to the origin) at " in message
    assert "(x-amz-cf-id " in message
    assert "troubleshooting.md#server_error" in message


def test_start_watch_status_and_list_print_json(service: Service) -> None:
    started = piped(service, "start", *GOOD, *FAR, "--json")
    run = json.loads(started.stdout)["requestID"]
    watched = piped(service, "watch", run, "--json")
    assert watched.returncode == 0, watched.stderr
    lines = [json.loads(line) for line in watched.stdout.splitlines()]
    assert [line["status"] for line in lines] == ["IN_PROGRESS"] * (len(lines) - 1) + ["COMPLETED"]
    assert len(lines) > 1
    assert sorted(lines[-1]["successUrl"]) == sorted(GOOD)
    assert json.loads(piped(service, "status", run, "--json").stdout) == lines[-1]
    listed = json.loads(piped(service, "list", "--status", "COMPLETED", "--json").stdout)["runs"]
    assert run in {each["requestID"] for each in listed}
    nothing = piped(service, "retry", run)
    assert (nothing.returncode, "every URL of the run is warm" in nothing.stderr) == (2, True)


def test_ctrl_c_detaches_and_run_can_be_watched_cancelled_and_retried(service: Service) -> None:
    arguments = ["start", *GOOD[:3], SLOW, *NEAR, "--verify", "none", "--wait"]
    with terminal(service, *arguments) as shown:
        shown.until(lambda text: "URLs" in text)
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 130, shown.shown
    resume = shown.shown.partition("resume with: prewarm watch ")[2].split()
    assert resume, shown.shown
    run = resume[0]
    watched = piped(service, "watch", run, "--wait-seconds", "0")
    assert watched.returncode == 3, "the run should be in progress: " + watched.stdout + watched.stderr
    wait_for_plan(service, run)
    cancelled = piped(service, "cancel", run, "--json")
    assert cancelled.returncode == 0, cancelled.stderr
    assert json.loads(cancelled.stdout)["reason"] == "cancelled"
    assert piped(service, "cancel", run).returncode == 2
    ended = piped(service, "status", run, "--exit-code")
    assert (ended.returncode, "CANCELLED after " in ended.stdout) == (1, True), ended.stdout
    retried = piped(service, "retry", run, "--wait", "--json")
    assert retried.returncode == 0, retried.stderr
    assert json.loads(retried.stdout)["successUrl"] == json.loads(cancelled.stdout)["failedUrl"]


def wait_for_plan(service: Service, run: str) -> None:
    for _ in range(200):
        if service.get_status(run).json()["targets"]["total"]:
            return
        time.sleep(0.05)
    raise AssertionError("no plan was made")


def test_bad_input_exits_2_and_wrong_key_exits_4(service: Service) -> None:
    bad = piped(service, "start", GOOD[0], "--region", "apca", "--json")
    assert (bad.returncode, "did you mean" in bad.stderr) == (2, True)
    assert json.loads(bad.stdout)["error"]["details"][0]["near"]
    assert piped(service, "status", "no-such-run").returncode == 2
    locked = piped(service, "list", PREWARM_API_KEY="wrong")
    assert (locked.returncode, "check the API key and the address" in locked.stderr) == (4, True)


def test_dry_run_prints_the_estimate_and_warms_nothing(service: Service) -> None:
    dry_run = piped(service, "start", *GOOD[:2], *NEAR, "--dry-run")
    assert dry_run.returncode == 0, dry_run.stderr
    assert "2 URLs of 1 host\n" in dry_run.stdout
