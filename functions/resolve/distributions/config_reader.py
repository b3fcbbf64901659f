"""Inspect: read distributions' settings from the CloudFront API; unreadable settings are a warning, not a failure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prewarm.request.model import PrewarmRequest
from resolve.distributions.cache_behaviours import Behaviour, behaviours, policy_ids
from resolve.distributions.cloudfront_client import cloudfront_client
from resolve.distributions.config_warnings import settings_warnings
from resolve.stages import Chosen, ChosenGroup, Inspected, InspectedGroup

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_cloudfront import CloudFrontClient


class ConfigReader:
    """Reads distributions' configurations and cache policies, each once."""

    def __init__(self, client: "CloudFrontClient | None" = None) -> None:
        self._client = client or cloudfront_client()
        self._policies: dict[str, Mapping[str, Any] | None] = {}

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
                group.distribution, group.urls, group.pops, group.skipped, behaviours_of[group.distribution.id]
            )
            for group in chosen.groups
        )
        return Inspected(tuple(inspected), tuple(warnings))

    def _inspect_distribution(
        self, distribution_id: str, groups: Sequence[ChosenGroup], fields: PrewarmRequest
    ) -> tuple[list[Behaviour], list[str]]:
        """Return a distribution's cache behaviours and the warnings of its groups (several tenants)."""
        domain = groups[0].distribution.domain
        if not distribution_id:
            unknown = "its settings are unknown because it is not a distribution of this account"
            unknown += "; if its origin may be silent for more than 95 s, set PREWARM_STALL_SECONDS"
            return [], [f"{domain}: {unknown}"]
        try:
            config = self._client.get_distribution_config(Id=distribution_id)["DistributionConfig"]
        except self._client.exceptions.ClientError as error:
            unread = f"its settings could not be read ({_code(error)}), so they are not checked"
            return [], [f"{domain}: {unread}"]
        policies = {each: policy for each in policy_ids(config) if (policy := self._policy(each)) is not None}
        in_order = behaviours(config, policies)
        warnings: list[str] = []
        for group in groups:
            warnings += settings_warnings(
                group.distribution.domain, config, in_order, group.urls, fields.accept_encodings, fields.headers
            )
        return in_order, warnings

    def _policy(self, policy_id: str) -> Mapping[str, Any] | None:
        if policy_id not in self._policies:
            try:
                policy: Any = self._client.get_cache_policy(Id=policy_id)["CachePolicy"]["CachePolicyConfig"]
            except self._client.exceptions.ClientError:
                policy = None
            self._policies[policy_id] = policy
        return self._policies[policy_id]


def _code(error: "ClientError") -> str:
    return error.response.get("Error", {}).get("Code", "unknown error")
