"""GET /report, the report's three forms, and runs that Step Functions has forgotten."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
import requests
from hypothesis import given as over
from hypothesis import settings as bounded
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from aggregate.report import as_csv
from aggregate.report_html import format_bytes, page
from api.schemas.openapi import report_schema
from prewarm.catalogue import catalogue
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from tests.support.edge_urls import fresh
from tests.support.handlers import BUCKET, SYDNEY, TOKYO, client
from tests.support.rest import ask_for_report, call, said_by_step_functions


def body(name: str) -> bytes:
    found: bytes = client("s3").get_object(Bucket=BUCKET, Key=f"runs/reported/{name}")["Body"].read()
    return found


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    said_by_step_functions(monkeypatch, status="FAILED", error="Prewarm.NotWarm", cause="why")


@pytest.mark.usefixtures("ran", "ended")
@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_a_link_leads_to_the_report_without_a_key(form: str) -> None:
    status, response = ask_for_report(form)
    assert (status, response["format"], response["run"]) == (200, form, "reported")
    assert response["expiresInSeconds"] == 3600
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in response["url"], (
        "a link of the old kind reads no object under a KMS key"
    )
    fetched = requests.get(response["url"], timeout=10)
    assert fetched.content == body(f"report.{form}")
    assert fetched.headers["Content-Type"].startswith(
        {"html": "text/html", "csv": "text/csv"}.get(form, "application/json")
    )


@pytest.mark.usefixtures("ran", "ended")
def test_without_a_format_it_is_the_page() -> None:
    assert ask_for_report()[1]["format"] == "html"


@pytest.mark.usefixtures("ran", "ended")
def test_an_unknown_format_names_the_field() -> None:
    status, response = ask_for_report("pdf")
    assert (status, response["error"]["details"][0]["field"]) == (400, "format")


@pytest.mark.usefixtures("ran")
def test_a_run_that_goes_on_has_no_report_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    said_by_step_functions(monkeypatch, status="RUNNING")
    status, response = ask_for_report()
    assert (status, response["error"]["code"]) == (409, "RunInProgress")


@pytest.mark.usefixtures("machine", "ended")
def test_a_run_without_a_report_is_told_apart_from_no_run() -> None:
    status, response = ask_for_report(run="refused")
    assert (status, response["error"]["code"]) == (404, "ReportNotFound")


@pytest.mark.usefixtures("ran")
def test_the_json_keeps_to_its_schema_and_has_every_url() -> None:
    report = json.loads(body("report.json"))
    Draft202012Validator(report_schema()).validate(report)
    assert [line["verdict"] for line in report["urls"]] == ["success", "failed", "success"]
    assert report["urls"][1]["reasons"] == {"blocked": 1}
    assert report["executionStatus"] == "FAILED"
    assert report["cost"]["dollars"] > 0


@pytest.mark.usefixtures("ran")
def test_the_csv_has_a_line_for_each_url() -> None:
    rows = list(csv.DictReader(io.StringIO(body("report.csv").decode(), newline="")))
    assert [row["verdict"] for row in rows] == ["success", "failed", "success"]
    assert (rows[1]["warm"], rows[1]["reachable"], rows[1]["coverage"]) == ("1", "2", "50.0")
    assert rows[1]["reasons"] == "blocked: 1"


@pytest.mark.usefixtures("ran")
def test_no_form_of_the_report_tells_a_secret() -> None:
    for name in ("report.json", "report.csv", "report.html", "summary.json"):
        assert b"s3cr3t" not in body(name)


class Page(HTMLParser):
    """Reads a page: its tags' balance, its text, and whatever it would load."""

    VOID = frozenset({"meta", "br", "input", "link", "img", "path", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.loads: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loads += [value or "" for name, value in attrs if name in {"src", "href"} or name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: bytes) -> Page:
    found = Page()
    found.feed(html.decode())
    found.close()
    assert found.open == []
    return found


@pytest.mark.usefixtures("ran")
def test_the_page_is_whole_in_itself_and_tells_what_happened() -> None:
    found = read(body("report.html"))
    assert (found.loads, found.scripts) == ([], 0)
    for words in ("1 of 3 URLs failed", "the edge refused it with a 403", "Sydney", "Tokyo", "Japan", "Slowest POPs"):
        assert words in found.text
    assert re.search(r"\$0\.\d{4}", found.text)


@pytest.mark.usefixtures("ran")
@over(st.text(min_size=1))
@bounded(max_examples=30, deadline=None)
def test_whatever_a_url_or_a_warning_holds_is_text_on_the_page(text: str) -> None:
    report = json.loads(body("report.json"))
    hostile = text + "<script>alert(1)</script>"
    report["failures"][0]["url"] = hostile
    report["warnings"] = [hostile]
    found = read(page(report, catalogue()))
    assert (found.loads, found.scripts) == ([], 0)
    assert found.text.count("<script>alert(1)</script>") == 2


def test_a_csv_cell_with_commas_and_quotes_is_read_back_as_it_was() -> None:
    url = 'https://www.example.com/a,"b"\n'
    line = {"url": url, "verdict": "failed", "warm": 0, "reachable": 1, "coverage": 0.0, "reasons": {"lost": 1}}
    (row,) = csv.DictReader(io.StringIO(as_csv({"urls": [line]}).decode(), newline=""))
    assert row["url"] == url


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (2 * 10**18, "2,000.0 PB")],
)
def test_bytes_are_told_by_thousands(count: int, words: str) -> None:
    assert format_bytes(count) == words


@pytest.mark.usefixtures("machine")
def test_a_dry_run_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]], "dry_run": True}
    said_by_step_functions(monkeypatch, status="SUCCEEDED", input=json.dumps(given))
    assert call("POST", "/retry", query={"requestID": "dry"})[1]["error"]["code"] == "NothingToRetry"


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("region", ["eu-west-1", "eu-south-1", "ap-east-1"])
def test_links_lead_to_the_regions_own_host(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setattr(Storage, "_exists", lambda *_: True)
    link = Storage(Settings.from_environment()).report_link("läuft", "report.html", 60)
    assert link is not None
    assert link.startswith(f"https://{BUCKET}.s3.{region}.amazonaws.com/")
    assert "l%25C3%25A4uft" not in link.partition("response-content-disposition")[2]


# ---- what helps ----


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"status": "FAILED", "error": "Prewarm.NotWarm"}, "retry"),
        ({"status": "FAILED", "error": "Prewarm.DeadlinePassed"}, "retry"),
        ({"status": "TIMED_OUT"}, "retry"),
        ({"status": "ABORTED"}, "retry"),
        ({"status": "FAILED", "error": "Prewarm.InvalidRequest"}, "fix"),
        ({"status": "FAILED", "error": "Prewarm.InvalidationTimedOut"}, "retry"),
        ({"status": "FAILED", "error": "States.ItemReaderFailed"}, "redrive"),
        ({"status": "FAILED", "error": "Lambda.TooManyRequestsException"}, "redrive"),
    ],
)
@pytest.mark.usefixtures("ran")
def test_a_run_that_ended_red_says_what_helps(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], kind: str
) -> None:
    said_by_step_functions(monkeypatch, **said)
    response = call("GET", "/status", query={"requestID": "reported"})[1]
    assert response["remedy"]["kind"] == kind
    if kind == "redrive":
        assert (
            f"aws stepfunctions redrive-execution --execution-arn {response['requestID']}"
            in response["remedy"]["how"]
        )


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE", "SUCCEEDED"])
@pytest.mark.usefixtures("ran")
def test_any_other_run_needs_no_help(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    said_by_step_functions(monkeypatch, status=status)
    assert "remedy" not in call("GET", "/status", query={"requestID": "reported"})[1]


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
@pytest.mark.usefixtures("ran")
def test_the_pops_sums_come_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    said_by_step_functions(monkeypatch, status=status)
    assert "pops" not in call("GET", "/status", query={"requestID": "reported"})[1]
    response = call("GET", "/status", query={"requestID": "reported", "include": "pops"})[1]
    sums = {entry["pop"]: (entry["targets"], entry["done"], entry["warm"]) for entry in response["pops"]}
    assert sums == {SYDNEY[0]: (3, 3, 3), TOKYO: (3, 3, 2)}
    refused = call("GET", "/status", query={"requestID": "reported", "include": "everything"})
    assert (refused[0], refused[1]["error"]["details"][0]["field"]) == (400, "include")
