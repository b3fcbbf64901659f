# ruff: noqa: ANN401  the objects are moto's own, which have no type hints
"""Invalidations of the embedded CloudFront, as CloudFront makes them; see moto_patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from moto.cloudfront.exceptions import CloudFrontException
from moto.cloudfront.models import CloudFrontBackend

if TYPE_CHECKING:
    from prewarm_local.stack.moto_patches import MotoPatches

# Receives a distribution's domain and the paths; may raise an error of CloudFront.
OnInvalidation = Callable[[str, list[str]], None]


def refuse_invalidation(domain: str, paths: list[str]) -> NoReturn:
    """Refuse an invalidation: the embedded CloudFront has no copies, and the real one would not learn of it.

    Raises:
        CloudFrontException: always.

    """
    raise CloudFrontException(
        "AccessDenied",
        f"this service runs without an AWS account, so it cannot invalidate {len(paths)} paths of {domain}; use "
        "`aws cloudfront create-invalidation`, then warm without invalidate",
    )


def patch_invalidations(patches: MotoPatches, on_invalidation: OnInvalidation | None) -> None:
    """Make invalidations behave as in CloudFront, and report new ones.

    moto's status is `COMPLETED`, CloudFront's `Completed`; for a CallerReference that was used before, moto creates
    another invalidation, CloudFront returns the existing one, or an error if the paths differ. `on_invalidation`
    receives the distribution's domain and the paths, in the caller's thread, before the invalidation is visible.
    """

    def create(self: Any, dist_id: str, paths: list[str], caller_ref: str) -> Any:
        for existing in self.invalidations.get(dist_id, ()):
            if existing.caller_ref == caller_ref:
                if sorted(existing.paths) == sorted(paths):
                    return existing
                raise _InvalidationBatchAlreadyExistsError
        if on_invalidation is not None and dist_id in self.distributions:
            on_invalidation(self.distributions[dist_id].domain_name, list(paths))
        invalidation = original(self, dist_id, paths, caller_ref)
        invalidation.status = "Completed"
        return invalidation

    original = patches.replace(CloudFrontBackend, "create_invalidation", create)


class _InvalidationBatchAlreadyExistsError(CloudFrontException):
    def __init__(self) -> None:
        super().__init__(
            "InvalidationBatchAlreadyExists", "The caller reference was used before with another invalidation batch."
        )
