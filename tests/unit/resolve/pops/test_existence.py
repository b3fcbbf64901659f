"""Whether a distribution exists, by its names and by what its POPs answer."""

import pytest

from prewarm.errors import InvalidRequest
from prewarm.fetcher.response import Response
from prewarm.planning.plan import Skipped
from prewarm.request.model import PrewarmRequest
from resolve.distributions.model import Distribution
from resolve.pops.existence import check_names, check_served
from resolve.pops.pop_probe import PopProbe
from resolve.stages import LocatedGroup
from tests.support.builders import DISTRIBUTION, parsed, request, response
from tests.support.planning import OTHER, planned

POPS = ("ATL56-C1", "NRT57-P3")
BY_NAME = request(region=list(POPS)).fields
BY_REGION = request(region_type="region", region=["us"]).fields
RETIRED = "the POP's name does not resolve, so the POP may be retired"


def group(reasons: dict[str, str], distribution: Distribution = DISTRIBUTION, *, exists: bool = True) -> LocatedGroup:
    """Return a group of two POPs, of which those without a reason have an address."""
    return LocatedGroup(
        distribution,
        parsed("https://www.example.com/"),
        POPS,
        (),
        [],
        addresses={pop: ["192.0.2.1"] for pop in POPS if pop not in reasons},
        unusable={pop: Skipped(pop, reason) for pop, reason in reasons.items()},
        exists=exists,
    )


NONE = dict.fromkeys(POPS, "unresolved_pop")


def refusal(groups: list[LocatedGroup], fields: PrewarmRequest) -> str:
    with pytest.raises(InvalidRequest) as caught:
        check_names(groups, fields)
    return str(caught.value)


@pytest.mark.parametrize("fields", [BY_NAME, BY_REGION])
def test_nothing_that_resolves_is_refused(fields: PrewarmRequest) -> None:
    message = refusal([group(NONE, exists=False)], fields)
    assert message.startswith("url_list: no nameserver knows d111.cloudfront.net")
    assert message.endswith("none of 2 POP names resolves; does this machine have DNS?")


def test_pop_run_whose_pop_names_all_fail_is_refused_with_that_reason() -> None:
    assert "region: none of 2 POP names resolves for d111.cloudfront.net, which itself resolves" in refusal(
        [group(NONE)], BY_NAME
    )


def test_region_whose_pop_names_all_fail_continues() -> None:
    assert check_names([group(NONE)], BY_REGION) == ()


@pytest.mark.parametrize("reason", ["dns_silent", "outside_edge_networks"])
def test_pop_that_was_not_answered_for_or_lies_elsewhere_is_not_a_missing_name(reason: str) -> None:
    assert check_names([group({POPS[0]: "unresolved_pop", POPS[1]: reason}, exists=False)], BY_NAME) == ()


def test_distribution_next_to_one_that_exists_is_a_warning() -> None:
    (warning,) = check_names([group(NONE, OTHER, exists=False), group({})], BY_NAME)
    assert warning.startswith("not warmed: no nameserver knows d222.cloudfront.net")


def test_distribution_whose_own_name_fails_is_refused_unless_a_pop_serves_it() -> None:
    unnamed = group({}, exists=False)
    assert check_names([unnamed], BY_NAME) == ()
    with pytest.raises(InvalidRequest, match=r"no nameserver knows d111\.cloudfront\.net"):
        check_served([unnamed], [False], BY_NAME)
    assert check_served([unnamed], [True], BY_NAME) == ()
    assert check_served([group({})], [False], BY_NAME) == ()


@pytest.mark.parametrize(
    ("answer", "served"),
    [
        (response(), True),
        (response(status=404, x_cache="Error from cloudfront"), True),
        (response(status=403, server="AmazonS3"), True),
        (response(status=403, x_cache="Error from cloudfront", server="CloudFront"), False),
        (response(status=421, x_cache="Error from cloudfront"), False),
        (response(pop="SYD1-C1"), False),
        (Response(error=7), False),
    ],
)
def test_probe_shows_whether_a_pop_serves_the_host(answer: Response, served: bool) -> None:
    probe = PopProbe(POPS[0], ["192.0.2.1"], "https://www.example.com/")
    probe.record(answer)
    assert probe.served is served


def test_pops_that_a_run_keeps_and_cannot_reach_are_a_warning() -> None:
    whole = planned({POPS[0]: "unresolved_pop"}, region=list(POPS))
    assert whole.plan.warnings == (
        f"1 of 2 POPs of d111.cloudfront.net cannot be reached, so their targets will fail: ATL56-C1 ({RETIRED})",
    )
