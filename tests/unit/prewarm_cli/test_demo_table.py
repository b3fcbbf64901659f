"""The demo's table of URLs: no URL is divided, and no reason is printed twice."""

import pytest

from prewarm_cli.demo.command import counts_text
from prewarm_cli.demo.site import demo_site
from prewarm_cli.demo.table import url_table
from tests.support.statuses import BAD, GOOD, status


@pytest.mark.parametrize("width", [None, 60, 80, 120])
def test_every_url_is_whole_with_its_state(width: int | None) -> None:
    lines = [line for line, _ in url_table(status(), width)]
    assert f"warm    {GOOD}" in lines or f"{'warm':11}  {GOOD}" in lines
    assert [line for line in lines if BAD in line.split()]
    assert "server_error at 3 POPs, timeout at 1 POPs" in " ".join(" ".join(lines).split())


def test_reasons_that_were_printed_before_are_left_out() -> None:
    shown = [line for line, _ in url_table(status(), None, shown={BAD})]
    assert shown == ["STATE   URL", f"warm    {GOOD}", f"failed  {BAD}"]


def test_reason_is_what_happened_where_the_service_says_it() -> None:
    what = "404 Not Found at 3 POPs, such as FRA56-P5 (x-amz-cf-id abc==)"
    failed = {"url": BAD, "reasons": {"client_error": 3}, "what": what}
    shown = [line for line, _ in url_table(status() | {"failures": [failed]}, None)]
    assert [line for line in shown if BAD in line and line.endswith(what)]


def test_demo_says_why_fewer_pops_are_warmed_than_the_catalogue_lists() -> None:
    site = demo_site()
    listed, works = len(site.requested_pops), len(site.config["pops"])
    text = counts_text(site)
    assert f"lists {listed} POPs" in text
    assert f"has {works} of them, since the others are retired; 3 of these fail" in text
    assert text.endswith(f"{works - 3} can be warmed.")
