"""The accounts whose distributions a run may use: the service's own, and those of DistributionRoles.

The empty account id stands for the service's own account.
"""

import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from prewarm.distribution_roles import DistributionRole
from prewarm.errors import BrokenSetting
from prewarm.storage.transient import named_errors
from resolve.distributions.assumed_roles import RoleRefused, assumed_roles
from resolve.distributions.cloudfront_client import ATTEMPTS, cloudfront_client
from resolve.distributions.model import Distribution

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

OWN = ""
# Accounts whose distributions are listed at the same time: CloudFront limits the calls of each account.
ACCOUNTS_AT_ONCE = 8
RIGHTS = "give it the permissions of examples/distribution-role.yaml"
ClientOf = Callable[[str], "CloudFrontClient"]


@dataclass(frozen=True)
class Listing:
    """The distributions of all readable accounts, the service's own first; for the others the reason, by account."""

    distributions: list[Distribution]
    unreadable: dict[str, str]


class Accounts:
    """Clients of the accounts, each made once, and the distributions that they list.

    `clients`: those that exist already, by account.
    """

    def __init__(
        self,
        roles: Iterable[DistributionRole] = (),
        clients: "Mapping[str, CloudFrontClient] | None" = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._roles = {role.account: role for role in roles}
        self._attempts = attempts
        self._lock = threading.Lock()
        self._clients: dict[str, CloudFrontClient] = dict(clients or {})

    @property
    def several(self) -> bool:
        """Return whether there are accounts besides the service's own."""
        return bool(self._roles)

    def client(self, account: str) -> "CloudFrontClient":
        """Return a client that acts in an account.

        Raises:
            BrokenSetting: DistributionRoles has no role for this account (any more).
            RoleRefused: its role cannot be assumed.
            TransientError: STS throttles, failed or did not respond in time.

        """
        if made := self._clients.get(account):
            return made
        credentials = None
        if account != OWN:
            if account not in self._roles:
                raise BrokenSetting(
                    f"the run has distributions of account {account}, but DistributionRoles has no role for it; add "
                    "the role and redrive the run"
                )
            try:
                credentials = assumed_roles().credentials(self._roles[account])
            except RoleRefused as refused:
                raise RoleRefused(f"account {account} cannot be used: {refused}") from None
        made = cloudfront_client(self._attempts, credentials)
        with self._lock:
            return self._clients.setdefault(account, made)

    @functools.cached_property
    def listing(self) -> Listing:
        """All distributions of all accounts (ListDistributions, every page), requested in parallel.

        An account whose role is refused is unreadable; the service's own has to be readable.
        """
        accounts = [OWN, *self._roles]
        pool = ThreadPoolExecutor(min(ACCOUNTS_AT_ONCE, len(accounts)))
        try:
            calls = {account: pool.submit(self._list, account) for account in accounts}
            listed: list[Distribution] = []
            unreadable: dict[str, str] = {}
            for account, call in calls.items():
                try:
                    listed += call.result()
                except RoleRefused as refused:
                    unreadable[account] = str(refused)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return Listing(listed, unreadable)

    def refuse(self, account: str, error: ClientError) -> RoleRefused:
        """Return the refusal of a call by an account's role."""
        code = error.response.get("Error", {}).get("Code", "unknown error")
        role, operation = self._roles[account].arn, error.operation_name
        return RoleRefused(
            f"account {account} cannot be used: its role {role} may not {operation} ({code}); {RIGHTS}"
        )

    def _list(self, account: str) -> list[Distribution]:
        client = self.client(account)
        try:
            with named_errors(f"cloudfront ListDistributions{f' of account {account}' if account else ''}"):
                pages = list(client.get_paginator("list_distributions").paginate())
        except ClientError as error:
            if account == OWN:
                raise
            raise self.refuse(account, error) from None
        return [
            Distribution(
                id=item["Id"],
                domain=item["DomainName"].lower(),
                aliases=tuple(alias.lower() for alias in item["Aliases"].get("Items", [])),
                enabled=item["Enabled"],
                staging=item.get("Staging", False),
                price_class=item.get("PriceClass", ""),
                multi_tenant=item.get("ConnectionMode") == "tenant-only",
                account=account,
            )
            for page in pages
            for item in page["DistributionList"].get("Items", [])
        ]
