"""schemathesis against the served OpenAPI description: no server error, every response as described."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from hypothesis import settings

from tests.support.service import HOST, ONE_SERVICE, ROOT, Service

pytestmark = ONE_SERVICE

# Generated requests rarely start a run, because no distribution serves their hosts. Bounded nevertheless. Each
# operation gets a request per schema keyword in any case; these random ones are in addition.
EXAMPLES = 50 if settings.get_current_profile_name() == "thorough" else 5
SECONDS = 480


def operations_of_a_run() -> list[str]:
    """Return the ids of the operations that take a requestID; for the others every run is the same."""
    described = json.loads((ROOT / "docs/openapi.json").read_text())
    return [
        operation["operationId"]
        for operations in described["paths"].values()
        for operation in operations.values()
        if any(parameter.get("name") == "requestID" for parameter in operation.get("parameters", []))
    ]


@pytest.mark.parametrize("of", ["any run", "an ended run"])
def test_served_api_conforms_to_its_openapi_description(service: Service, tmp_path: Path, of: str) -> None:
    chosen: list[str] = []
    if of == "an ended run":
        request_id = service.start(
            {"url_list": [f"https://{HOST}/page/1.html"], "region_type": "country", "region": "singapore"}
        )
        service.statuses(request_id)
        (tmp_path / "schemathesis.toml").write_text(f'[parameters]\nrequestID = "{request_id}"\n')
        chosen = [word for name in operations_of_a_run() for word in ("--include-operation-id", name)]
        assert chosen
    report = tmp_path / "report.xml"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{service.ready['api']}/openapi.json",
            "--url",
            service.ready["api"],
            "--header",
            f"x-api-key: {service.ready['apiKey']}",
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            str(EXAMPLES),
            "--generation-database",
            "none",
            "--seed",
            "7",
            "--report",
            "junit",
            "--report-junit-path",
            str(report),
            *chosen,
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert report.exists()


def test_openapi_description_needs_no_key_and_other_routes_do(service: Service) -> None:
    api = service.ready["api"]
    assert requests.get(f"{api}/openapi.json", timeout=30).json()["openapi"].startswith("3.1")
    assert requests.get(f"{api}/runs", timeout=30).status_code == 403


@pytest.mark.parametrize(
    "path", ["/prewarm", "/status", "/report", "/runs", "/urls", "/request", "/uploads", "/diagnose"]
)
def test_cors_preflight_needs_no_key_and_returns_allowed_headers(service: Service, path: str) -> None:
    """A preflight request has no key, and its response lists the allowed headers."""
    headers = {"Origin": "https://tools.example.com", "Access-Control-Request-Method": "GET"}
    response = requests.options(f"{service.ready['api']}{path}", headers=headers, timeout=30)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-api-key" in response.headers["Access-Control-Allow-Headers"]
    assert {"GET", "POST", "DELETE"} <= set(response.headers["Access-Control-Allow-Methods"].split(","))


def test_responses_and_errors_allow_all_origins(service: Service) -> None:
    key, origin = {"x-api-key": service.ready["apiKey"]}, {"Origin": "https://tools.example.com"}
    api = service.ready["api"]
    for headers, code in ((key | origin, 200), (origin, 403)):
        response = requests.get(f"{api}/pops", headers=headers, timeout=30)
        assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (code, "*")
    assert json.loads(requests.get(f"{api}/x", headers=origin, timeout=30).text)["error"]["code"] == "RouteNotFound"


def test_cancelled_run_gets_a_report_from_its_status_event(service: Service) -> None:
    """EventBridge's status event starts the report, since a cancelled execution runs no further state."""
    urls = [f"https://{HOST}/page/{number}.html" for number in range(40)]
    body = {"url_list": urls, "region_type": "pop", "region": ["SIN2-C1"], "max_rps": 0.2, "timeout_minutes": 60}
    pops = service.call("GET", "/pops")["pops"]
    body["region"] = [next(pop["id"] for pop in pops if pop["location"] == "SIN")]
    request_id = service.start(body)
    service.wait_for(request_id, lambda status: status["targets"]["total"] > 0)
    assert service.call("DELETE", "/prewarm", requestID=request_id)["status"] == "FAILED"
    link = service.wait_for_report(request_id, "json")
    report = requests.get(link, timeout=30).json()
    assert (report["executionStatus"], report["unfinishedAs"]) == ("ABORTED", "cancelled")
    assert report["outcomes"]["cancelled"] > 0
