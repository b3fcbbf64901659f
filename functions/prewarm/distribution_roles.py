"""DistributionRoles: the roles by which the service reads and invalidates distributions of other accounts. Pure."""

import re
from dataclasses import dataclass

from prewarm.errors import BrokenSetting

# A role's name and path (IAM User Guide, "IAM and AWS STS quotas"), without the comma, which separates the roles.
ROLE_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{12}):role/[A-Za-z0-9_+=.@/-]+")
# AWS allows 1,224 characters (STS API Reference, AssumeRole); a function's environment ends at 4 KB.
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,256}")
ROLES_NAME, EXTERNAL_ID_NAME = "PREWARM_DISTRIBUTION_ROLES", "PREWARM_DISTRIBUTION_EXTERNAL_ID"


@dataclass(frozen=True, slots=True)
class DistributionRole:
    """A role in another account: its ARN, the account's id, the partition, and the external id to assume it with."""

    arn: str
    account: str
    partition: str
    external_id: str


def roles_of(text: str, external_id: str) -> tuple[DistributionRole, ...]:
    """Parse the ARNs of roles, separated by commas; each is assumed with the external id.

    Raises:
        BrokenSetting: an ARN or the external id is invalid, or an account has two roles.

    """
    roles: dict[str, DistributionRole] = {}
    for arn in dict.fromkeys(word.strip() for word in text.split(",") if word.strip()):
        match = ROLE_ARN.fullmatch(arn)
        if match is None:
            raise BrokenSetting(
                f"{ROLES_NAME}: {arn!r} is not the ARN of a role; write arn:aws:iam::123456789012:role/prewarm, "
                "several ARNs separated by commas"
            )
        account = match["account"]
        if account in roles:
            raise BrokenSetting(
                f"{ROLES_NAME}: account {account} has two roles, {roles[account].arn} and {arn}; list one of them"
            )
        roles[account] = DistributionRole(arn, account, match["partition"], external_id)
    if roles and not EXTERNAL_ID.fullmatch(external_id):
        raise BrokenSetting(
            f"{EXTERNAL_ID_NAME}: {external_id!r} is not an external id for the roles in {ROLES_NAME}; set the "
            "sts:ExternalId of their trust policies, 2 to 256 letters, digits or characters of _+=,.@:/-"
        )
    return tuple(roles.values())
