"""Entries of a source that are not warmed: counted, and a reason to fail where they are most of it."""

from types import SimpleNamespace
from typing import Any

from tests.support.handlers import BUCKET, Machine, client, document
from tests.support.source_documents import sitemap
from tests.support.source_runs import ONE, PLACE


def mostly_foreign() -> bytes:
    foreign = [(f"https://www.example.net/{n}", "") for n in range(2)]
    return sitemap((ONE, ""), *foreign)


def test_run_of_a_mostly_skipped_source_is_red_and_its_first_line_is_the_reason(
    machine: Machine, site: Any, account: SimpleNamespace
) -> None:
    ran = machine.run(PLACE | {"sitemap": site(mostly_foreign()), "fail_on": "none"})
    first = "sitemap[0]: 2 of 3 entries cannot be warmed and were skipped"
    assert (ran.output["passed"], ran.output["warm"]) == (False, False)
    assert ran.output["error"] == "Prewarm.SourcesSkipped"
    assert ran.output["cause"].startswith(first)
    report = document(ran.name, "report.json")
    assert report["mostlySkipped"].startswith(first)
    assert (report["success"], report["sources"][0]["skipped"]) == (1, 2)
    page = client("s3").get_object(Bucket=BUCKET, Key=f"runs/{ran.name}/report.html")["Body"].read().decode()
    assert first in page.partition("<dl>")[0]
    assert "https://www.example.net/0" in page


def test_mostly_skipped_source_is_accepted_where_the_request_says_so(
    machine: Machine, site: Any, account: SimpleNamespace
) -> None:
    ran = machine.run(PLACE | {"sitemap": site(mostly_foreign()), "strict_sources": False})
    assert (ran.output["passed"], ran.output["warm"]) == (True, True)
    assert document(ran.name, "report.json")["mostlySkipped"]


def test_dry_run_counts_what_a_run_leaves_out(machine: Machine, site: Any) -> None:
    chosen = {"url": site(mostly_foreign()), "exclude": "/never"}
    machine.resolve(PLACE | {"sitemap": chosen, "dry_run": True}, "dry")
    dry = document("dry", "dry_run.json")
    assert dry["mostlySkipped"].startswith("sitemap[0]: 2 of 3")
    (left_out,) = dry["sources"][0]["leftOut"]
    assert (left_out["count"], left_out["skipped"]) == (2, True)
    assert left_out["examples"] == ["https://www.example.net/0", "https://www.example.net/1"]
