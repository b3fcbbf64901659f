"""Cache keys: after a run of URLs as people write them, a viewer who requests the browser's form gets a Hit."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import HTTP1, HTTP2, Client
from tests.support.service import HOST, ONE_SERVICE, Service
from tests.support.terminal import piped

pytestmark = ONE_SERVICE

POPS = ["SIN2-P1", "FRA50-C1"]
# Target as given, and as browsers send it; by the kind of the spelling.
KINDS = {
    "lower-case escapes": {
        "/key/%e3%82%b5%e3%82%a4%e3%83%88/": "/key/%e3%82%b5%e3%82%a4%e3%83%88/",
        "/key/a%2fb?next=%2fhome": "/key/a%2fb?next=%2fhome",
        "/key/%E3%82%B5/": "/key/%E3%82%B5/",
        "/key/%aa%Bb%cC": "/key/%aa%Bb%cC",
    },
    "apostrophe": {
        "/key/search?q=o'neill": "/key/search?q=o%27neill",
        "/key/o'neill": "/key/o'neill",
    },
    "caret": {
        "/key/chart/^GDAXI": "/key/chart/%5EGDAXI",
        "/key/chart?s=^GDAXI": "/key/chart?s=^GDAXI",
    },
    "tilde": {
        "/key/assets/vendors~main.4f2a.js": "/key/assets/vendors~main.4f2a.js",
        "/key/~anna/": "/key/~anna/",
        "/key/assets/vendors%7Emain.4f2a.js": "/key/assets/vendors%7Emain.4f2a.js",
    },
    "other characters": {
        "/key/a b?c d": "/key/a%20b?c%20d",
        "/key/köln/ä?ö=ü": "/key/k%C3%B6ln/%C3%A4?%C3%B6=%C3%BC",
        r"/key\back?slash=\x": r"/key/back?slash=\x",
        "/key/{a}|b?{c}|`d`": "/key/%7Ba%7D|b?{c}|`d`",
        "/key//two//?": "/key//two//?",
        "/key/a;b=1?c;d#part": "/key/a;b=1?c;d",
        '/key/"quoted"?<x>': "/key/%22quoted%22?%3Cx%3E",
    },
}
EMPTY_QUERY = {"/key/empty?": "/key/empty?", "/key/empty": "/key/empty"}


@pytest.fixture(scope="module")
def ended(service: Service, edge: SimulatedCloudFront) -> dict[str, Any]:
    """The last status of a run over all kinds, with every target verified."""
    targets = [given for kind in (*KINDS.values(), EMPTY_QUERY) for given in kind]
    for kind in (*KINDS.values(), EMPTY_QUERY):
        for sent in kind.values():
            edge.put_object(sent, {"size": 700})
    urls = [f"https://{HOST}{target}" for target in targets]
    # A second spelling of a key, which is left out.
    urls.append(f"https://{HOST.upper()}/key/chart/%5EGDAXI#again")
    request = {"url_list": urls, "region_type": "pop", "region": POPS, "verify": "all"}
    return service.statuses(service.start(request))[-1]


def fetched_form(given: str) -> str | None:
    sent = next(kind[given] for kind in (*KINDS.values(), EMPTY_QUERY) if given in kind)
    return None if sent == given else sent


@pytest.mark.parametrize("version", [HTTP2, HTTP1], ids=["h2", "h1"])
@pytest.mark.parametrize("kind", KINDS)
def test_viewer_who_requests_the_browsers_form_gets_a_hit(
    ended: dict[str, Any], edge: SimulatedCloudFront, kind: str, version: int
) -> None:
    assert ended["status"] == "COMPLETED", ended
    viewer = Client(edge)
    answers = {
        (sent, pop): viewer.request(sent, pop, host=HOST, accept="gzip, deflate, br", version=version).x_cache
        for sent in KINDS[kind].values()
        for pop in POPS
    }
    assert answers == dict.fromkeys(answers, "Hit")


def test_empty_query_is_a_key_of_its_own(ended: dict[str, Any], edge: SimulatedCloudFront) -> None:
    assert ended["duplicates"] == 1
    for sent in EMPTY_QUERY.values():
        assert Client(edge).request(sent, POPS[0], host=HOST, accept="br, gzip").x_cache == "Hit"


def test_status_has_given_and_fetched_forms_and_counts_duplicates(ended: dict[str, Any]) -> None:
    given = [target for kind in (*KINDS.values(), EMPTY_QUERY) for target in kind]
    assert sorted(ended["successUrl"]) == sorted(f"https://{HOST}{target}" for target in given)
    expected = {
        f"https://{HOST}{target}": f"https://{HOST}{sent}" for target in given if (sent := fetched_form(target))
    }
    assert ended["fetched"] == expected
    assert (ended["total"], ended["duplicates"]) == (len(given), 1)


def test_reports_and_junit_have_given_and_fetched_forms(
    service: Service, ended: dict[str, Any], tmp_path: Path
) -> None:
    run = ended["run"]
    report = json.loads(requests.get(service.wait_for_report(run, "json"), timeout=30).text)
    assert {line["url"]: line["fetched"] for line in report["urls"] if "fetched" in line} == ended["fetched"]
    assert report["duplicates"] == 1
    text = requests.get(service.wait_for_report(run, "csv"), timeout=30).content.decode()
    rows = csv.DictReader(io.StringIO(text, newline=""))
    assert {row["url"]: row["fetched"] for row in rows if row["fetched"]} == ended["fetched"]
    html = requests.get(service.wait_for_report(run, "html"), timeout=30).content.decode()
    assert f"https://{HOST}/key/chart/%5EGDAXI" in html
    junit = tmp_path / "junit.xml"
    done = piped(service, "watch", run, "--junit", str(junit))
    assert done.returncode == 0, done.stderr
    cases = ET.parse(junit).getroot().iter("testcase")
    properties = {case.attrib["name"]: case.find("properties/property[@name='fetched']") for case in cases}
    found = {url: each.attrib["value"] for url, each in properties.items() if each is not None}
    assert found == ended["fetched"]


def test_dry_run_counts_duplicates(service: Service) -> None:
    spellings = ["/key/chart/^GDAXI", "/key/chart/%5EGDAXI", "/key/chart/%5eGDAXI"]
    request = {"url_list": [f"https://{HOST}{each}" for each in spellings], "region_type": "pop", "region": POPS}
    response = service.post(request | {"dry_run": True}).json()
    assert (response["dryRun"]["urls"], response["dryRun"]["duplicates"]) == (2, 1)
