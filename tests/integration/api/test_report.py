"""GET /report: the link, and the report's three formats."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
import requests
from hypothesis import given as over
from hypothesis import settings as bounded
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from aggregate.byte_units import format_bytes
from aggregate.report_html import page
from api.schemas.openapi import report_schema
from prewarm.catalogue import catalogue
from prewarm.docs_links import troubleshooting
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from tests.support.handlers import BUCKET, client
from tests.support.rest import describe_executions_as, get_report


def body(name: str) -> bytes:
    content: bytes = client("s3").get_object(Bucket=BUCKET, Key=f"runs/reported/{name}")["Body"].read()
    return content


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    describe_executions_as(monkeypatch, status="FAILED", error="Prewarm.NotWarm", cause="why")


@pytest.mark.usefixtures("ran", "ended")
@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_link_serves_the_report_without_a_key(form: str) -> None:
    status, response = get_report(form)
    assert (status, response["format"], response["run"]) == (200, form, "reported")
    assert response["expiresInSeconds"] == 3600
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in response["url"], (
        "signature version 2 cannot read an object with a KMS key"
    )
    fetched = requests.get(response["url"], timeout=10)
    assert fetched.content == body(f"report.{form}")
    assert fetched.headers["Content-Type"].startswith(
        {"html": "text/html", "csv": "text/csv"}.get(form, "application/json")
    )


@pytest.mark.usefixtures("ran", "ended")
def test_default_format_is_html() -> None:
    assert get_report()[1]["format"] == "html"


@pytest.mark.usefixtures("ran", "ended")
def test_unknown_format_returns_400() -> None:
    status, response = get_report("pdf")
    assert (status, response["error"]["details"][0]["field"]) == (400, "format")


@pytest.mark.usefixtures("ran")
def test_running_run_has_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    describe_executions_as(monkeypatch, status="RUNNING")
    status, response = get_report()
    assert (status, response["error"]["code"]) == (409, "RunInProgress")


@pytest.mark.usefixtures("machine", "ended")
def test_run_without_a_report_returns_report_not_found() -> None:
    status, response = get_report(run="refused")
    assert (status, response["error"]["code"]) == (404, "ReportNotFound")


@pytest.mark.usefixtures("ran")
def test_json_report_matches_its_schema_and_has_every_url() -> None:
    report = json.loads(body("report.json"))
    Draft202012Validator(report_schema()).validate(report)
    assert [line["verdict"] for line in report["urls"]] == ["success", "failed", "success"]
    assert report["urls"][1]["reasons"] == {"blocked": 1}
    assert report["executionStatus"] == "FAILED"
    assert report["cost"]["dollars"] > 0


@pytest.mark.usefixtures("ran")
def test_csv_report_has_a_line_per_url() -> None:
    rows = list(csv.DictReader(io.StringIO(body("report.csv").decode(), newline="")))
    assert [row["verdict"] for row in rows] == ["success", "failed", "success"]
    assert (rows[1]["warm"], rows[1]["reachable"], rows[1]["coverage"]) == ("1", "2", "50.0")
    assert rows[1]["reasons"] == "blocked: 1"


@pytest.mark.usefixtures("ran")
def test_reports_and_summary_redact_secrets() -> None:
    for name in ("report.json", "report.csv", "report.html", "summary.json"):
        assert b"s3cr3t" not in body(name)


class Page(HTMLParser):
    """Parse a page: the balance of its tags, its text, and the resources it loads."""

    VOID = frozenset({"meta", "br", "input", "link", "img", "path", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.loads: list[str] = []
        self.links: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        addresses = [value or "" for name, value in attrs if name in {"src", "href"}]
        self.links += addresses if tag == "a" else []
        self.loads += [] if tag == "a" else addresses
        self.loads += [value or "" for name, value in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: bytes) -> Page:
    parsed = Page()
    parsed.feed(html.decode())
    parsed.close()
    assert parsed.open == []
    return parsed


@pytest.mark.usefixtures("ran")
def test_html_report_is_self_contained_and_explains_the_result() -> None:
    parsed = read(body("report.html"))
    assert (parsed.loads, parsed.scripts) == ([], 0)
    assert set(parsed.links) == {troubleshooting("blocked")}
    for words in (
        "1 of 3 URLs failed",
        "403 Forbidden (the edge or the origin refused it)",
        "Sydney",
        "Tokyo",
        "Japan",
        "Slowest POPs",
    ):
        assert words in parsed.text
    assert re.search(r"\$0\.\d{4}", parsed.text)


@pytest.mark.usefixtures("ran")
@over(st.text(min_size=1))
@bounded(max_examples=30, deadline=None)
def test_html_report_escapes_urls_and_warnings(text: str) -> None:
    report = json.loads(body("report.json"))
    hostile = text + "<script>alert(1)</script>"
    report["failures"][0]["url"] = hostile
    report["warnings"] = [hostile]
    parsed = read(page(report, catalogue()))
    assert (parsed.loads, parsed.scripts) == ([], 0)
    assert parsed.text.count("<script>alert(1)</script>") == 2


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (2 * 10**18, "2,000.0 PB")],
)
def test_bytes_are_formatted_in_decimal_units(count: int, words: str) -> None:
    assert format_bytes(count) == words


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("region", ["eu-west-1", "eu-south-1", "ap-east-1"])
def test_links_use_the_regional_host(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setattr(Storage, "_exists", lambda *_: True)
    link = Storage(Settings.from_environment()).report_link("läuft", "report.html", 60)
    assert link is not None
    assert link.startswith(f"https://{BUCKET}.s3.{region}.amazonaws.com/")
    assert "l%25C3%25A4uft" not in link.partition("response-content-disposition")[2]
