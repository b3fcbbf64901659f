"""Requests become the expected targets or are rejected: through the REST API, on the whole stack."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.cloudfront.models import CloudFrontBackend

from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.stack import EmbeddedStack
from tests.support.several_distributions import (
    DOMAIN,
    DUBAI,
    ENDPOINT,
    FOREIGN,
    HOST,
    MUMBAI,
    OFF,
    OTHER_DOMAIN,
    OTHER_HOST,
    SHOP,
    STAGING,
    SYDNEY,
    dry,
    edge_of_several_distributions,
    ended,
    get,
    post,
    stack_of_several_distributions,
    text,
    urls,
)

# One stack per process, and tests of one file in one process.
pytestmark = pytest.mark.xdist_group("resolving")


@pytest.fixture(scope="module")
def edge() -> Iterator[SimulatedCloudFront]:
    with edge_of_several_distributions() as running:
        yield running


@pytest.fixture(scope="module")
def purged() -> list[tuple[str, list[str]]]:
    return []


@pytest.fixture(scope="module")
def stack(edge: SimulatedCloudFront, purged: list[tuple[str, list[str]]]) -> Iterator[EmbeddedStack]:
    with stack_of_several_distributions(edge, purged) as running:
        yield running


def test_each_host_uses_its_distribution_and_a_tenant_its_endpoint(stack: EmbeddedStack) -> None:
    mixed = [*urls("/a"), *urls("/b", host=SHOP), *urls("/c", host=DOMAIN), *urls("/d", host="unserved.example")]
    status = ended(stack, url_list=mixed)
    assert status["successUrl"] == [*urls("/a"), *urls("/c", host=DOMAIN), *urls("/b", host=SHOP)]
    assert [(entry["url"], entry["reasons"]) for entry in status["failures"]] == [(mixed[3], {"no_distribution": 1})]
    assert any(
        "no distribution of the service's accounts has the alias unserved.example" in warning
        for warning in status["warnings"]
    )


def test_hosts_of_two_accounts_are_invalidated_and_warmed_in_one_run(
    stack: EmbeddedStack, purged: list[tuple[str, list[str]]]
) -> None:
    before = len(purged)
    status = ended(
        stack, url_list=[*urls("/own"), *urls("/team", host=OTHER_HOST)], region=SYDNEY[:1], invalidate=True
    )
    assert (status["status"], status["failedUrl"]) == ("COMPLETED", [])
    assert purged[before:] == [(DOMAIN, ["/own"]), (OTHER_DOMAIN, ["/team"])]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (FOREIGN, f"DNS points {FOREIGN} to {DOMAIN}, but"),
        (OFF, "which is disabled"),
        (STAGING, "staging distribution"),
    ],
)
def test_host_without_an_allowed_distribution_is_rejected_with_the_reason(
    stack: EmbeddedStack, host: str, words: str
) -> None:
    """The edge would serve FOREIGN, but a CNAME does not prove that the host belongs to this account."""
    status = ended(stack, url_list=urls("/x", host=host))
    assert (status["status"], status["error"]) == ("FAILED", "Prewarm.InvalidRequest")
    assert words in status["cause"]


def test_urls_are_read_from_lists_sitemaps_and_manifests(stack: EmbeddedStack) -> None:
    stack.client("s3").put_object(Bucket=stack.bucket, Key="lists/new.csv", Body="url\n" + urls("/listed")[0])
    status = ended(
        stack,
        url_list_s3=f"s3://{stack.bucket}/lists/new.csv",
        sitemap=urls("/sitemap.xml")[0],
        manifest=urls("/video/top.m3u8")[0],
    )
    assert status["status"] == "COMPLETED"
    assert status["successUrl"] == urls(
        "/listed", "/page/1", "/page/2", "/video/top.m3u8", "/video/1.ts", "/video/2.ts"
    )


def test_list_in_the_runs_folder_is_rejected(stack: EmbeddedStack) -> None:
    status = ended(stack, url_list_s3=f"s3://{stack.bucket}/runs/x/request.json")
    assert "may not be read as a URL list" in status["cause"]


def test_pops_outside_price_class_are_skipped_and_location_without_pops_is_warmed(
    stack: EmbeddedStack,
) -> None:
    status = ended(stack, url_list=urls("/class"), region_type="country", region=["au", "in", "qa"])
    assert status["status"] == "COMPLETED"
    reasons = {entry["pop"]: entry["reason"] for entry in status["skippedPops"]}
    assert reasons["SYD1-C1"] == "outside_price_class"
    assert MUMBAI not in reasons
    assert any(f"CloudFront sends clients there to {DUBAI}, which is warmed instead" in w for w in status["warnings"])
    assert status["targets"]["total"] == 2


def test_requested_pops_outside_price_class_are_warmed_with_a_warning(stack: EmbeddedStack) -> None:
    status = ended(stack, url_list=urls("/named"))
    assert status["status"] == "COMPLETED"
    words = f"PriceClass_200, which sends no viewers to {', '.join(SYDNEY)}: 2 POPs are warmed only because"
    assert any(words in warning for warning in status["warnings"])


def test_long_list_is_invalidated_in_rounds_and_tenants_separately(
    stack: EmbeddedStack, purged: list[tuple[str, list[str]]]
) -> None:
    many = [*urls(*(f"/n/{n}" for n in range(3_001))), *urls("/t", host=SHOP)]
    status = ended(stack, url_list=many, region=SYDNEY[:1], invalidate=True, verify="none")
    assert (status["status"], status["total"]) == ("COMPLETED", 3_002)
    sizes = [(domain, len(paths)) for domain, paths in purged[-3:]]
    assert sizes == [(DOMAIN, 3_000), (ENDPOINT, 1), (DOMAIN, 1)]


def test_patterns_are_invalidated_instead_of_paths_and_checked_until_completed(
    stack: EmbeddedStack, purged: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ended(stack, url_list=urls("/p/1", "/q/2"), region=SYDNEY[:1])
    assert before["targets"]["outcomes"] == {"warmed": 2}
    checks: list[str] = []

    def slowly(self: Any, distribution: str, number: str) -> Any:
        invalidation = original(self, distribution, number)
        checks.append(number)
        invalidation.status = "Completed" if len(checks) > 1 else "InProgress"
        return invalidation

    original = CloudFrontBackend.get_invalidation
    monkeypatch.setattr(CloudFrontBackend, "get_invalidation", slowly)
    status = ended(stack, url_list=urls("/p/1", "/q/2"), region=SYDNEY[:1], invalidate=["/p/*"])
    assert purged[-1] == (DOMAIN, ["/p/*"])
    assert len(checks) == 2
    assert status["status"] == "COMPLETED"
    assert status["targets"]["outcomes"] == {"warmed": 1, "already_warm": 1}
    assert any(
        f"1 of 2 URLs match no pattern of invalidate, such as {urls('/q/2')[0]}" in w for w in status["warnings"]
    )


def test_dry_run_warns_about_distribution_settings(stack: EmbeddedStack) -> None:
    estimate = dry(stack, url_list=[*urls("/api/1", "/page"), "http://www.example.com/plain"])
    warnings = "\n".join(estimate["warnings"])
    assert "behaviour /api/* (https://www.example.com/api/1): its cache policy Managed-CachingDisabled" in warnings
    assert "cloudfront-viewer-country in the cache key" in warnings
    assert "1 http:// URLs are redirected to https://" in warnings


# A compressed copy has no Content-Length, so that its size is not known before it is fetched.
NOT_COMPRESSED = {"size": 1_000, "content_type": "image/png"}


def test_dry_run_returns_counts_and_cost_and_warms_nothing(
    stack: EmbeddedStack, edge: SimulatedCloudFront, purged: list[tuple[str, list[str]]]
) -> None:
    invalidations = len(purged)
    for path in ("/dry/1", "/dry/2"):
        edge.put_object(path, NOT_COMPRESSED)
    estimate = dry(stack, url_list=urls("/dry/1", "/dry/2"), invalidate=True, staged=True)
    assert (estimate["urls"], estimate["targets"], estimate["invalidation"]["paths"]) == (2, 4, 2)
    assert estimate["estimatedBytes"] == 1_000 * estimate["fetches"]
    assert estimate["cost"]["dollars"] == pytest.approx(
        sum(part["dollars"] for part in estimate["cost"]["parts"]), abs=1e-3
    )
    assert len(purged) == invalidations
    # Of the POPs, only the one that was asked for sizes may keep what answers a HEAD.
    holders = [pop for pop, kept in edge.copies().items() if any("/dry/" in path for copy in kept for path in copy)]
    assert len(holders) <= 1


def test_estimate_of_a_dry_run_is_what_the_run_then_takes(stack: EmbeddedStack, edge: SimulatedCloudFront) -> None:
    """Fetches and bytes of a run without failures; the embedded stack is charged for CloudFront only."""
    for path in ("/held/1", "/held/2", "/held/3"):
        edge.put_object(path, NOT_COMPRESSED)
    wanted = urls("/held/1", "/held/2", "/held/3")
    estimate = dry(stack, url_list=wanted)
    status = ended(stack, url_list=wanted)
    assert {part["name"].partition(",")[0] for part in status["cost"]["parts"]} == {
        "CloudFront requests",
        "CloudFront transfer",
    }
    before = status["cost"]["estimate"]
    assert before["fetches"] == estimate["fetches"]
    assert before["measuredFetches"] == pytest.approx(estimate["fetches"], rel=0.2)
    assert status["bytes"] == pytest.approx(estimate["estimatedBytes"], rel=0.2)


def test_dry_run_by_direct_start_ends_after_resolve_and_status_contains_it(stack: EmbeddedStack) -> None:
    states = stack.client("stepfunctions")
    given = {"url_list": urls("/direct"), "region_type": "pop", "region": SYDNEY, "dry_run": True}
    arn = states.start_execution(stateMachineArn=stack.state_machine_arn, name="dry-direct", input=json.dumps(given))
    until = time.monotonic() + 60
    while (status := get(stack, "/status", requestID=arn["executionArn"]))["status"] == "IN_PROGRESS":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert (status["status"], status["dryRun"]["targets"]) == ("COMPLETED", 2)
    history = states.get_execution_history(executionArn=arn["executionArn"], maxResults=100)["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    assert entered == ["FirstReading", "ResolveTargets", "Accepted", "DryRunCompleted"]


def test_sitemap_after_a_deployment_is_the_new_one_in_a_run_that_invalidates(
    stack: EmbeddedStack, edge: SimulatedCloudFront, purged: list[tuple[str, list[str]]]
) -> None:
    def deploy(*pages: str) -> None:
        entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls(*pages))
        edge.put_object("/deployed.xml", text(f"<urlset>{entries}</urlset>"))

    (sitemap,) = urls("/deployed.xml")
    deploy("/deployed/1")
    (source,) = dry(stack, sitemap=sitemap)["sources"]
    assert [each["origin"] for each in source["documents"]] == ["origin"]
    deploy("/deployed/1", "/deployed/2")
    before = len(purged)

    estimate = dry(stack, sitemap=sitemap, invalidate=True)
    (source,) = estimate["sources"]
    (read,) = source["documents"]
    assert (read["url"], read["xCache"], read["origin"]) == (sitemap, "Hit from cloudfront", "cache")
    assert any("the run invalidates and reads it again first" in warning for warning in estimate["warnings"])
    assert len(purged) == before

    kept = ended(stack, sitemap=sitemap, verify="none")
    assert kept["successUrl"] == urls("/deployed/1")
    assert any(f"{sitemap} (X-Cache: Hit from cloudfront, Age: " in warning for warning in kept["warnings"])

    status = ended(stack, sitemap=sitemap, verify="none", invalidate=True)
    assert (status["status"], status["successUrl"]) == ("COMPLETED", urls("/deployed/1", "/deployed/2"))
    assert [paths for _, paths in purged[before:]] == [["/deployed.xml"], ["/deployed/1", "/deployed/2"]]
    (source,) = status["sources"]
    assert (source["documentsRead"], source["documentsFromCache"]) == (1, 0)
    assert not any("came from a cache" in warning for warning in status["warnings"])
    states = stack.client("stepfunctions")
    history = states.get_execution_history(executionArn=status["requestID"], maxResults=1000)["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    round_of = ["CreateInvalidations", "InvalidationsLate", "WaitForInvalidations", "CheckInvalidations"]
    reading = ["ResolveTargets", "Accepted", "InvalidationWanted", *round_of, "RoundCompleted"]
    assert entered[:18] == ["FirstReading", *reading, *reading, "WarmTargets"]


def test_body_over_the_limit_mentions_url_list_s3(stack: EmbeddedStack) -> None:
    response = post(stack, url_list=[f"https://{HOST}/{'x' * 90}/{number}" for number in range(40_000)])
    assert response.status_code == 413
    assert "url_list_s3" in response.json()["error"]["message"]


def test_get_pops_returns_the_catalogue(stack: EmbeddedStack) -> None:
    assert {pop["id"] for pop in get(stack, "/pops")["pops"]} >= {*SYDNEY, MUMBAI}


def test_body_of_40000_urls_below_the_limit_is_accepted(stack: EmbeddedStack) -> None:
    many = [f"https://{HOST}/{'x' * 70}/{number:05}" for number in range(40_000)]
    body = {"url_list": many, "region_type": "pop", "region": SYDNEY[:1], "dry_run": True}
    assert 4_000_000 < len(json.dumps(body).encode()) < 4 * 1024 * 1024
    assert post(stack, **body).json()["dryRun"]["targets"] == 40_000
