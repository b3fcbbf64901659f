"""What a distribution's origins mean for warming: how long a first byte may take, which caches are bypassed. Pure.

Sources: CloudFront Developer Guide, "All distribution settings reference" (Response timeout: 30 s by default; a GET
is tried again as often as Connection attempts says, 3 by default), "Optimize high availability with CloudFront origin
failover" (the second origin is asked in the same way), and "How CloudFront works with regional edge caches".
"""

import re
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
RESPONSE_SECONDS, ATTEMPTS = 30, 3
S3_REGION = re.compile(r"\.s3(?:-website)?[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$")


def _items(document: Document, name: str) -> list[Any]:
    return list((document.get(name) or {}).get("Items") or [])


def _origins(config: Document, target: str) -> list[Document]:
    """Return a behaviour's origins: one, or the two of an origin group."""
    by_id = {origin.get("Id"): origin for origin in _items(config, "Origins")}
    for group in _items(config, "OriginGroups"):
        if group.get("Id") == target:
            return [by_id.get(member.get("OriginId"), {}) for member in _items(group, "Members")]
    return [by_id.get(target, {})]


def first_byte_seconds(config: Document, settings: Document) -> int:
    """Return for how long the edge may wait for a silent origin before it answers, in seconds.

    Args:
        config: a DistributionConfig.
        settings: one of its cache behaviours.

    """
    return sum(
        (origin.get("CustomOriginConfig") or {}).get("OriginReadTimeout", RESPONSE_SECONDS)
        * origin.get("ConnectionAttempts", ATTEMPTS)
        for origin in _origins(config, settings.get("TargetOriginId", ""))
    )


def s3_region(config: Document, settings: Document) -> str:
    """Return the Region of a behaviour's S3 bucket, as its domain names it; empty for other origins."""
    for origin in _origins(config, settings.get("TargetOriginId", "")):
        if found := S3_REGION.search(origin.get("DomainName", "")):
            return found.group(1)
    return ""


def has_origin_shield(config: Document, settings: Document) -> bool:
    """Return whether all of a behaviour's origins are asked by their Origin Shield only."""
    origins = _origins(config, settings.get("TargetOriginId", ""))
    return all((origin.get("OriginShield") or {}).get("Enabled") for origin in origins)
