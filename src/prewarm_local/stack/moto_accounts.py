# ruff: noqa: ANN401  the objects are moto's own, which have no type hints
"""Further accounts of the embedded AWS, which the functions reach by assuming roles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.iam.models import get_account_id_from
from moto.sts.models import STSBackend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.stack.moto_patches import MotoPatches

_ACCESS_KEY = re.compile(r"Credential=([^/]+)/")


def account_of(environ: Mapping[str, Any]) -> str:
    """Return the id of the account whose credentials signed a request (WSGI); else that of moto's own account."""
    signed_by = _ACCESS_KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
    account: str = get_account_id_from(signed_by[1] if signed_by else "")
    return account


def account_of_role(arn: str) -> str:
    """Return the account's id in the ARN of a role."""
    return arn.split(":")[4]


def patch_assumed_roles(patches: MotoPatches, roles: Mapping[str, str]) -> None:
    """Let only some roles be assumed: `roles` maps their ARNs to the external ids of their trust policies.

    moto lets any role be assumed. AWS answers AccessDenied for a role that does not exist, and for another external
    id (IAM User Guide, "Access to AWS accounts owned by third parties").
    """

    def assume(self: Any, **request: Any) -> Any:
        if request["role_arn"] not in roles or roles[request["role_arn"]] != request["external_id"]:
            raise _AssumeRoleDeniedError(request["role_arn"])
        return original(self, **request)

    original = patches.replace(STSBackend, "assume_role", assume)


class _AssumeRoleDeniedError(ServiceException):
    code = "AccessDenied"

    def __init__(self, role: str) -> None:
        super().__init__(f"User is not authorized to perform: sts:AssumeRole on resource: {role}")
