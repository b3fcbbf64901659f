"""Two accounts with distributions, and the role by which the service reads and invalidates those of the other one."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from moto.cloudfront.models import cloudfront_backends

from prewarm_local.stack.moto_accounts import patch_assumed_roles
from prewarm_local.stack.moto_patches import MotoPatches
from resolve.distributions.assumed_roles import assumed_roles
from tests.support.handlers import (
    ACCOUNT,
    add_distribution,
)
from tests.support.two_accounts import EXACT, EXTERNAL_ID, OTHER, ROLE, move


@pytest.fixture
def roles() -> dict[str, str]:
    """The roles that may be assumed, with their external ids; a test may remove one."""
    return {ROLE: EXTERNAL_ID}


@pytest.fixture(autouse=True)
def two_accounts(
    account: SimpleNamespace, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimpleNamespace]:
    """The second distribution, and one that names a host of its wildcard, are in another account."""
    monkeypatch.setenv("PREWARM_DISTRIBUTION_ROLES", ROLE)
    monkeypatch.setenv("PREWARM_DISTRIBUTION_EXTERNAL_ID", EXTERNAL_ID)
    account.exact = add_distribution("d888abcdef8.cloudfront.net", [EXACT])
    for moved in (account.distribution_ids[1], account.exact):
        move(moved)
    for owner in (ACCOUNT, OTHER):
        cloudfront_backends[owner]["aws"].invalidations.clear()
    assumed_roles.cache_clear()
    with MotoPatches() as patches:
        patch_assumed_roles(patches, roles)
        yield account
    assumed_roles.cache_clear()
