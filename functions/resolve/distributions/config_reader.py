"""Reads distributions' settings from the CloudFront API; what cannot be read is a warning, never a run's failure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from prewarm.request.model import PrewarmRequest
from resolve.distributions.cache_behaviours import behaviours, policy_ids
from resolve.distributions.config_warnings import settings_warnings
from resolve.group_draft import Placement

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Configs:
    """Distributions' configurations and cache policies, each read once."""

    def __init__(self, client: "CloudFrontClient | None" = None) -> None:
        self._client = client or boto3.client(
            "cloudfront", config=Config(retries={"mode": "adaptive", "max_attempts": 10})
        )
        self._policies: dict[str, Mapping[str, Any] | None] = {}

    def warnings(self, placements: Sequence[Placement], fields: PrewarmRequest) -> list[str]:
        """Return what the settings of a run's distributions will do, in words."""
        told: list[str] = []
        seen: dict[str, list[Placement]] = {}
        for placement in placements:
            seen.setdefault(placement.distribution.id, []).append(placement)
        for distribution_id, those in seen.items():
            domain = those[0].distribution.domain
            if not distribution_id:
                told.append(f"{domain}: its settings are not known here, since it is no distribution of this account")
                continue
            try:
                config = self._client.get_distribution_config(Id=distribution_id)["DistributionConfig"]
            except ClientError as error:
                told.append(f"{domain}: its settings could not be read ({_code(error)}), so none of them is judged")
                continue
            policies = {each: found for each in policy_ids(config) if (found := self._policy(each)) is not None}
            in_order = behaviours(config, policies)
            for placement in those:
                placement.behaviours = in_order
                told += settings_warnings(
                    placement.distribution.domain,
                    config,
                    in_order,
                    placement.urls,
                    fields.accept_encodings,
                    fields.headers,
                )
        return told

    def _policy(self, policy_id: str) -> Mapping[str, Any] | None:
        if policy_id not in self._policies:
            try:
                found: Any = self._client.get_cache_policy(Id=policy_id)["CachePolicy"]["CachePolicyConfig"]
            except ClientError:
                found = None
            self._policies[policy_id] = found
        return self._policies[policy_id]


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "unknown error")
