"""DistributionRoles: the ARNs that are accepted, and an error message for each invalid value."""

import pytest

from prewarm.distribution_roles import DistributionRole, roles_of
from prewarm.errors import BrokenSetting
from prewarm.settings import Settings

ONE, TWO = "arn:aws:iam::111111111111:role/prewarm", "arn:aws:iam::222222222222:role/team/x_y+=.@-1"
SECRETLESS = "6f1c-site"


def test_no_roles_need_no_external_id() -> None:
    stores = {"PREWARM_BUCKET": "bucket", "PREWARM_TABLE": "table"}
    assert Settings.from_environment(stores).distribution_roles == ()
    assert roles_of(" , ", "") == ()


def test_roles_have_account_partition_and_the_external_id() -> None:
    china = "arn:aws-cn:iam::333333333333:role/prewarm"
    assert roles_of(f"{ONE}, {TWO},{china},{ONE}", SECRETLESS) == (
        DistributionRole(ONE, "111111111111", "aws", SECRETLESS),
        DistributionRole(TWO, "222222222222", "aws", SECRETLESS),
        DistributionRole(china, "333333333333", "aws-cn", SECRETLESS),
    )


@pytest.mark.parametrize(
    "arn",
    [
        "prewarm",
        "arn:aws:iam::11111111111:role/prewarm",
        "arn:aws:iam::111111111111:user/prewarm",
        "arn:aws:iam::111111111111:role/",
        "arn:aws:iam::111111111111:role/*",
        "arn:aws:sts::111111111111:assumed-role/prewarm/x",
        "arn:aws:iam::١١١١١١١١١١١١:role/prewarm",
        "arn:aws:iam::111111111111:role/a b",
    ],
)
def test_invalid_arn_is_shown_with_the_form_to_write(arn: str) -> None:
    with pytest.raises(
        BrokenSetting, match=r"PREWARM_DISTRIBUTION_ROLES: .* is not the ARN of a role; write arn:aws"
    ):
        roles_of(f"{TWO},{arn}", SECRETLESS)


def test_two_roles_of_one_account_are_refused_with_both() -> None:
    other = "arn:aws:iam::111111111111:role/other"
    with pytest.raises(BrokenSetting, match=f"account 111111111111 has two roles, {ONE} and {other}; list one"):
        roles_of(f"{ONE},{other}", SECRETLESS)


@pytest.mark.parametrize("external_id", ["", "x", "with space", "ü" * 8, "x" * 257])
def test_roles_without_a_valid_external_id_are_refused(external_id: str) -> None:
    with pytest.raises(BrokenSetting, match=r"PREWARM_DISTRIBUTION_EXTERNAL_ID: .* set the sts:ExternalId"):
        roles_of(ONE, external_id)
