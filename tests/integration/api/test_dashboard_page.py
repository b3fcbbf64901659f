"""GET /: the page, its policy, and its route in the embedded gateway."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

import api.handler
from api.dashboard.page import FILES, SCRIPTS
from api.uploads import upload
from prewarm.catalogue import data_text
from prewarm.request.validation import check_request
from prewarm.results.outcome import IN_WORDS
from prewarm.results.proof_texts import ELSEWHERE, IN_POP
from prewarm.storage.run_store import storage
from prewarm_local.stack.api_gateway import Gateway
from prewarm_local.stack.intrinsics import Account
from prewarm_local.stack.proxy_event import Request
from prewarm_local.stack.routes import Api, Route
from prewarm_local.stack.runtime_api import Result
from tests.support.definitions import ROOT
from tests.support.handlers import Context
from tests.support.threat_table import rows, unproven

MAX_LINES = 260
# The icon's XML namespace and the form's placeholders; the page fetches none of them.
EXAMPLES = ("index.html", "sitemap.xml", "video.m3u8", "app.js")
HARMLESS = {"http://www.w3.org/2000/svg", *(f"https://www.example.com/{name}" for name in EXAMPLES)}
LOADING = {"src", "srcset", "href", "action", "formaction", "poster", "data", "xlink:href"}


@pytest.fixture(autouse=True)
def _service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set what the page needs of the service's environment."""
    own = {"PREWARM_BUCKET": "runs-bucket", "PREWARM_TABLE": "ledger", "AWS_DEFAULT_REGION": "eu-west-1"}
    credentials = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
    for name, value in (own | credentials).items():
        monkeypatch.setenv(name, value)
    storage.cache_clear()
    yield
    storage.cache_clear()


def get(path: str = "/", stage_path: str = "/v1/") -> dict[str, Any]:
    """Send GET / as API Gateway does, without a key."""
    event = {
        "resource": "/",
        "path": path,
        "httpMethod": "GET",
        "headers": {"Accept": "text/html"},
        "multiValueHeaders": {"Accept": ["text/html"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"requestId": "r-1", "stage": "v1", "httpMethod": "GET", "path": stage_path},
        "body": None,
        "isBase64Encoded": False,
    }
    response: dict[str, Any] = api.handler.handler(event, Context())
    return response


class Page(HTMLParser):
    """The parts of a page that its policy governs: inline blocks by tag, and attributes that load or style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.blocks: dict[str, list[str]] = {"script": [], "style": []}
        self.loads: list[str] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag if tag in self.blocks else ""
        if self._open:
            self.blocks[tag].append("")
        self.loads += [value or "" for name, value in attrs if name in LOADING and tag != "a"]
        self.inline += [f"{tag} {name}" for name, _ in attrs if name == "style" or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.blocks[self._open][-1] += data


def policy_of(response: dict[str, Any]) -> dict[str, list[str]]:
    directives = response["multiValueHeaders"]["Content-Security-Policy"][0].split(";")
    return {name: values for name, *values in (directive.split() for directive in directives)}


def hash_of(block: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"


@pytest.mark.parametrize(("path", "stage_path"), [("/", "/v1/"), ("/", "/v1")])
def test_get_page_without_key_returns_200(path: str, stage_path: str) -> None:
    response = get(path, stage_path)
    assert response["statusCode"] == 200
    headers = {name.lower(): values[0] for name, values in response["multiValueHeaders"].items()}
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "max-age=300"
    assert response["body"].startswith("<!doctype html>")
    assert response["isBase64Encoded"] is False


def test_policy_allows_only_the_pages_own_script_and_style() -> None:
    response = get()
    policy, page = policy_of(response), Page(response["body"])
    assert policy["default-src"] == ["'none'"]
    for directive in ("base-uri", "form-action", "frame-ancestors"):
        assert policy[directive] == ["'none'"]
    assert policy["connect-src"] == ["'self'", "https://runs-bucket.s3.eu-west-1.amazonaws.com/"]
    assert policy["img-src"] == ["data:"]
    assert policy["script-src"] == [hash_of(block) for block in page.blocks["script"]]
    assert policy["style-src"] == [hash_of(block) for block in page.blocks["style"]]
    assert len(page.blocks["script"]) == len(page.blocks["style"]) == 1
    assert "unsafe" not in response["multiValueHeaders"]["Content-Security-Policy"][0]
    assert page.inline == [], "the policy blocks these"


def test_page_loads_no_external_resource() -> None:
    page = get()["body"]
    assert [load for load in Page(page).loads if not load.startswith("data:")] == []
    assert set(re.findall(r"\bhttps?://[\w./-]+", page)) == HARMLESS
    assert not re.search(r"@import|url\((?!#)|\bimport\s*\(|^\s*import\s", page, re.MULTILINE)
    assert "<!--" not in re.sub(r"<script.*</script>", "", page, flags=re.DOTALL), "a placeholder was not replaced"


def test_page_contains_the_map_and_the_outcome_texts() -> None:
    page = get()["body"]
    assert f'd="{data_text("land.svgpath").strip()}"' in page
    (script,) = Page(page).blocks["script"]
    outcomes = re.match(r"const OUTCOMES = (\{.*\});", script)
    assert outcomes
    assert json.loads(outcomes[1]) == {outcome.value: text for outcome, text in IN_WORDS.items()}


def test_page_is_smaller_than_200_kb() -> None:
    assert len(get()["body"].encode()) < 200_000


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4566"])
def test_policy_allows_uploads_to_the_address_of_the_forms_and_no_other(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    storage.cache_clear()
    form = upload(b"", storage())
    assert policy_of(get())["connect-src"] == ["'self'", form["url"]]
    # A path without a slash at its end matches no other bucket of the same host (CSP Level 3, "path-part matches").
    assert form["url"] == (
        f"{endpoint}/runs-bucket" if endpoint else "https://runs-bucket.s3.eu-west-1.amazonaws.com/"
    )


@pytest.mark.parametrize(("own_machine", "expected"), [("", "true"), ("true", "false")])
def test_page_links_to_a_console_only_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, own_machine: str, expected: str
) -> None:
    monkeypatch.setenv("PREWARM_OWN_MACHINE", own_machine)
    assert f"const HAS_CONSOLE = {expected};" in get()["body"]


def test_page_says_what_proofs_show_in_the_words_of_the_report() -> None:
    assert f"const PROOFS = {json.dumps({'inPop': IN_POP, 'elsewhere': ELSEWHERE})};" in get()["body"]


def test_page_knows_the_defaults_of_every_option() -> None:
    defaults = json.loads(re.search(r"const DEFAULTS = (\{.*\});", get()["body"])[1])  # type: ignore[index]
    minimal = {"url_list": ["https://www.example.com/"], "region_type": "pop", "region": ["ATL56-C1"]}
    stored = check_request(minimal).as_json()
    assert {name: value for name, value in stored.items() if name in defaults and name not in minimal} == {
        name: value for name, value in defaults.items() if name in stored and name not in minimal
    }


def test_page_includes_every_file_and_no_file_is_long() -> None:
    files = {path.name: path.read_text() for path in FILES.iterdir()}
    assert set(files) == {"index.html", "style.css", *SCRIPTS}
    assert {name: text.count("\n") for name, text in files.items() if text.count("\n") > MAX_LINES} == {}


def test_scripts_parse_no_markup_and_send_requests_only_below_the_stage() -> None:
    for name in SCRIPTS:
        source = (FILES / name).read_text()
        risky = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|cookie"
        assert not re.search(risky, source), name
        assert not re.search(r"""["'`]/(?:v1|prod)""", source), name
        assert source.count("fetch(") == (1 if name == "api.js" else 0), name
        assert source.count("new XMLHttpRequest(") == (1 if name == "upload.js" else 0), name
    assert "fetch(`${BASE}${route}" in (FILES / "api.js").read_text()


@pytest.mark.parametrize("name", [f"dashboard-{name}.png" for name in ("run", "phone", "failed", "home")])
def test_documentation_images_exist_and_are_small(name: str) -> None:
    assert f"images/{name}" in (ROOT / "docs" / "dashboard.md").read_text()
    assert 10_000 < (ROOT / "docs" / "images" / name).stat().st_size < 200_000


def test_threats_in_the_documentation_cite_existing_tests() -> None:
    page = (ROOT / "docs" / "dashboard.md").read_text()
    assert len(rows(page)) >= 6
    assert unproven(page) == []


class Functions:
    """Replaces the embedded stack's workers: calls the handler in this process."""

    def invoke(self, _arn: str, event: bytes) -> Result:
        return Result(json.dumps(api.handler.handler(json.loads(event), Context())).encode(), None)


@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_embedded_gateway_serves_the_page_at_the_stage_root(path: str) -> None:
    routes = (
        Route("GET", "/", "arn", key_required=False, timeout=10.0),
        Route("GET", "/pops", "arn", key_required=True, timeout=10.0),
    )
    api_definition = Api("Api", "v1", routes, {}, ())
    gateway = Gateway(api_definition, Account("123456789012", "eu-central-1"), Functions())  # type: ignore[arg-type]
    try:
        response = gateway.answer(Request("GET", path, "", [("Host", "127.0.0.1")], b"", "127.0.0.1"))
        assert (response.status, dict(response.headers)["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert response.body.decode() == get()["body"]
        refused = gateway.answer(Request("GET", "/v1/pops", "", [], b"", "127.0.0.1"))
        assert refused.status == 403, "the other routes require a key"
    finally:
        gateway.stop()
