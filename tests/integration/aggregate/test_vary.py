"""Responses that name in Vary a header which is not in the cache key: a warning in report and dry run."""

import json

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST
from tests.support.handlers import BUCKET, Machine, client

PLACE = {"region_type": "pop", "region": ["SYD1-C1"]}


def warnings(name: str, document: str) -> list[str]:
    body = client("s3").get_object(Bucket=BUCKET, Key=f"runs/{name}/{document}")["Body"].read()
    listed: list[str] = json.loads(body)["warnings"]
    return listed


@pytest.fixture
def url(edge: SimulatedCloudFront) -> str:
    edge.put_object("/vary/font.woff2", {"size": 10, "headers": {"vary": "Origin, Accept-Encoding"}})
    return f"https://{HOST}/vary/font.woff2"


def test_report_warns_of_a_vary_on_what_was_not_sent(machine: Machine, url: str) -> None:
    ran = machine.run(PLACE | {"url_list": [url]}, "varied")
    (warning,) = [each for each in warnings(ran.name, "report.json") if "in Vary" in each]
    assert warning.startswith(f"1 response names origin in Vary, such as the one for {url}, but")


def test_header_that_the_run_sends_is_not_a_warning(machine: Machine, url: str) -> None:
    ran = machine.run(PLACE | {"url_list": [url], "headers": {"Origin": "https://a.example"}}, "sent")
    assert not [each for each in warnings(ran.name, "report.json") if "in Vary" in each]


def test_dry_run_warns_of_it_too(machine: Machine, url: str) -> None:
    machine.resolve(PLACE | {"url_list": [url], "dry_run": True}, "dry-vary")
    assert [each for each in warnings("dry-vary", "dry_run.json") if "names origin in Vary" in each]
