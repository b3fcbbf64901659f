"""What the service remembers of a run: its phases, its entry in the list, its URLs; and a list that was uploaded."""

from pathlib import Path

import pytest

import prewarm_cli.upload
from tests.support.fake_api import prewarm
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

URLS = [f"https://{HOST}/page/{number}.html" for number in range(60, 64)]
ORDER = ["resolving", "invalidating", "warming", "summing_up", "ended"]


def test_uploaded_list_is_warmed_listed_and_found_again(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREWARM_API_URL", service.ready["api"])
    monkeypatch.setenv("PREWARM_API_KEY", service.ready["apiKey"])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(prewarm_cli.upload, "MAX_BODY_BYTES", 10)
    file = tmp_path / "urls.txt"
    file.write_text("\n".join([*URLS, f"https://{HOST}/absent.html"]))
    arguments = ["--country", "singapore", "--invalidate", "--staged", "--label", "shop main"]
    started = prewarm("start", "--file", str(file), *arguments)
    assert "uploaded 5 URLs" in started.stderr
    arn = started.stdout.strip()
    phases = [status["phase"]["name"] for status in service.statuses(arn)]
    assert [*sorted(phases, key=ORDER.index)] == phases
    assert phases[-1] == "ended"
    failures = service.get_status(arn).json()["failures"]
    assert [each["url"] for each in failures] == [f"https://{HOST}/absent.html"], failures
    (listed,) = service.call("GET", "/runs", label="shop main", host=HOST)["runs"]
    assert (listed["requestID"], listed["status"], listed["startedBy"]) == (arn, "FAILED", "embedded")
    assert (listed["total"], listed["warm"], listed["failed"], listed["locations"]) == (5, 4, 1, ["SIN"])
    assert listed["dollars"] > 0
    found = service.call("GET", "/urls", url=URLS[0])
    assert (found["lastWarm"]["requestID"], found["last"]["label"]) == (arn, "shop main")
    assert service.call("GET", "/urls", url=f"https://{HOST}/absent.html", days="1")["last"]["warm"] is False
    (address,) = service.call("GET", "/request", requestID=arn)["request"]["url_list_s3"]
    assert address.startswith("s3://")
    assert "/uploads/" in address


def test_directly_started_run_is_listed_at_its_start_time(service: Service) -> None:
    states = service.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=service.ready["stateMachineArn"],
        name="listed-direct",
        input='{"url_list": ["https://absent.example.com/"], "region_type": "pop", "region": ["SIN2-C1"]}',
    )
    assert service.statuses(started["executionArn"])[-1]["status"] == "FAILED"
    (listed,) = [run for run in service.call("GET", "/runs", limit="100")["runs"] if run["run"] == "listed-direct"]
    assert (listed["startedBy"], listed["status"]) == ("direct", "FAILED")
    assert listed["startedAt"] == started["startDate"].isoformat(timespec="seconds").replace("+00:00", "Z")
