"""Distributions of two accounts in moto: their hosts, and what each account has invalidated."""

from typing import Any

from moto.cloudfront.models import cloudfront_backends

import resolve.invalidate_handler
from tests.support.edge_urls import HOST
from tests.support.handlers import (
    ACCOUNT,
    OTHER_HOST,
    SYDNEY,
    Context,
)

OTHER = "222222222222"


ROLE, EXTERNAL_ID = f"arn:aws:iam::{OTHER}:role/prewarm", "ext-7f3a"


EXACT = "api.wild.example.com"


OWN_URL, OTHER_URL, EXACT_URL = f"https://{HOST}/own", f"https://{OTHER_HOST}/other", f"https://{EXACT}/exact"


GOOD: dict[str, Any] = {"region_type": "pop", "region": SYDNEY[:1]}


def move(distribution_id: str) -> None:
    """Move a distribution into the other account."""
    made = cloudfront_backends[ACCOUNT]["aws"].distributions.pop(distribution_id)
    cloudfront_backends[OTHER]["aws"].distributions[distribution_id] = made


def step(run: str, progress: dict[str, Any], redrives: int = 0) -> dict[str, Any]:
    event = {"run": run, "redrives": redrives, "invalidation": progress}
    after: dict[str, Any] = resolve.invalidate_handler.handler(event, Context(900.0))
    return after


def invalidated(owner: str) -> dict[str, list[str]]:
    """Return the paths of an account's invalidations by distribution."""
    backend = cloudfront_backends[owner]["aws"]
    return {made: [path for each in listed for path in each.paths] for made, listed in backend.invalidations.items()}
