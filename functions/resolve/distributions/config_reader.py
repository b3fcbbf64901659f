"""Inspect: read distributions' settings from the CloudFront API; unreadable settings are a warning, not a failure."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from prewarm.request.model import PrewarmRequest
from resolve.distributions.accounts import ClientOf
from resolve.distributions.cache_behaviours import Behaviour, behaviours, policy_ids
from resolve.distributions.config_warnings import settings_warnings
from resolve.distributions.forwarding import Policies, Unread
from resolve.distributions.key_warnings import http_warnings
from resolve.distributions.managed_policies import ORIGIN_REQUEST, RESPONSE_HEADERS
from resolve.stages import Chosen, ChosenGroup, Inspected, InspectedGroup

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class ConfigReader:
    """Reads distributions' configurations and policies, each once; a managed policy's settings are known.

    `client_of` returns the client that acts in an account; a policy is read in the account of its distribution.
    """

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of
        self._policies: dict[tuple[str, str], Mapping[str, Any] | Unread] = {}

    def inspect(self, chosen: Chosen, fields: PrewarmRequest) -> Inspected:
        """Return each distribution's cache behaviours, with warnings about its settings."""
        by_distribution: dict[str, list[ChosenGroup]] = {}
        for group in chosen.groups:
            by_distribution.setdefault(group.distribution.id, []).append(group)
        behaviours_of: dict[str, list[Behaviour]] = {}
        warnings: list[str] = []
        for distribution_id, groups in by_distribution.items():
            behaviours_of[distribution_id], found = self._inspect_distribution(distribution_id, groups, fields)
            warnings += found
        inspected = (
            InspectedGroup(
                group.distribution,
                group.urls,
                group.pops,
                group.skipped,
                behaviours_of[group.distribution.id],
                masks=group.masks,
                requests=group.requests,
            )
            for group in chosen.groups
        )
        return Inspected(tuple(inspected), tuple(warnings))

    def _inspect_distribution(
        self, distribution_id: str, groups: Sequence[ChosenGroup], fields: PrewarmRequest
    ) -> tuple[list[Behaviour], list[str]]:
        """Return a distribution's cache behaviours and the warnings of its groups (several tenants)."""
        domain, account = groups[0].distribution.domain, groups[0].distribution.account
        if not distribution_id:
            unknown = "its settings are unknown because it is not a distribution of this account"
            unknown += "; if its origin may be silent for more than 95 s, set PREWARM_STALL_SECONDS"
            return [], [f"{domain}: {unknown}", *_over_http(groups, fields)]
        client = self._client_of(account)
        try:
            config = client.get_distribution_config(Id=distribution_id)["DistributionConfig"]
        except ClientError as error:
            unread = f"its settings could not be read ({_code(error)}), so they are not checked"
            return [], [f"{domain}: {unread}", *_over_http(groups, fields)]
        read = {each: self._policy(account, each, _cache_policy) for each in policy_ids(config)}
        policies = {each: policy for each, policy in read.items() if not isinstance(policy, Unread)}
        in_order = behaviours(config, policies, self._other_policies(account, config))
        warnings: list[str] = []
        for group in groups:
            warnings += settings_warnings(
                group.distribution.domain,
                config,
                in_order,
                group.urls,
                fields.accept_encodings,
                fields.headers,
                invalidates=bool(fields.invalidate),
            )
        return in_order, warnings

    def _other_policies(self, account: str, config: Mapping[str, Any]) -> Policies:
        """Return a distribution's policies of other kinds; managed ones are known without a call."""
        of_requests = policy_ids(config, "OriginRequestPolicyId") - ORIGIN_REQUEST.keys()
        of_responses = policy_ids(config, "ResponseHeadersPolicyId") - RESPONSE_HEADERS.keys()
        return Policies(
            {each: self._policy(account, each, _origin_request_policy) for each in sorted(of_requests)},
            {each: self._policy(account, each, _response_headers_policy) for each in sorted(of_responses)},
        )

    def _policy(self, account: str, policy_id: str, get: "Get") -> Mapping[str, Any] | Unread:
        """Return a policy, or why it could not be read; ids are unique among all kinds of policies."""
        if (account, policy_id) not in self._policies:
            try:
                self._policies[account, policy_id] = get(self._client_of(account), policy_id)
            except ClientError as error:
                self._policies[account, policy_id] = Unread(_code(error))
        return self._policies[account, policy_id]


def _over_http(groups: Sequence[ChosenGroup], fields: PrewarmRequest) -> list[str]:
    """Return the warnings about http:// URLs of distributions whose settings are not known."""
    return [
        f"{group.distribution.domain}: {warning}"
        for group in groups
        for warning in http_warnings(group.urls, fields.accept_encodings)
    ]


Get = Callable[["CloudFrontClient", str], Any]  # the API's document


def _cache_policy(client: "CloudFrontClient", policy_id: str) -> Any:  # noqa: ANN401 - the API's document
    return client.get_cache_policy(Id=policy_id)["CachePolicy"]["CachePolicyConfig"]


def _origin_request_policy(client: "CloudFrontClient", policy_id: str) -> Any:  # noqa: ANN401 - the API's document
    return client.get_origin_request_policy(Id=policy_id)["OriginRequestPolicy"]["OriginRequestPolicyConfig"]


def _response_headers_policy(client: "CloudFrontClient", policy_id: str) -> Any:  # noqa: ANN401 - the API's document
    return client.get_response_headers_policy(Id=policy_id)["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "unknown error")
