"""Create invalidations and request their status, with the patience that CloudFront's busy times need.

CloudFront's control plane answers 503 or Throttling at busy times, for minutes. A call waits and tries again as long
as the invocation has time; then it raises CloudFrontBusy, which the state machine retries by name. An error that the
same call would meet again (a rejected path, a missing permission) is raised at once.
"""

import random
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnectedError

from prewarm.observability import logger
from resolve.invalidation_rounds import InvalidationBatch

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

COMPLETED = "Completed"
# Error codes of a busy control plane (CloudFront API Reference, "Common Error Types"), whatever their HTTP status.
BUSY_CODES = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
     "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "PriorRequestNotComplete", "ServiceUnavailable",
     "InternalFailure", "InternalError", "RequestTimeout", "RequestTimeoutException"}
)  # fmt: skip
# How long one call tries, and the longest wait between two tries, in seconds.
PATIENCE_SECONDS, LONGEST_PAUSE = 240.0, 20.0


class CloudFrontBusy(Exception):
    """CloudFront was busy during all of a call's tries; the state machine retries this by its name."""


class PatientCloudFront:
    """CloudFront's calls for invalidations, tried again while CloudFront is busy.

    `client_of` returns an account's client, which should not retry by itself. `seconds` is the time that all calls
    together may take before the last try; each has PATIENCE_SECONDS at most.
    """

    def __init__(
        self,
        client_of: Callable[[str], "CloudFrontClient"],
        seconds: float = PATIENCE_SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client_of, self._clock, self._sleep = client_of, clock, sleep
        self._until = clock() + seconds

    def create(self, batch: InvalidationBatch) -> dict[str, str]:
        """Create one invalidation; returns the ids with which its status is requested.

        Each try has the same CallerReference, so CloudFront returns the invalidation of a try whose answer was lost.

        Raises:
            CloudFrontBusy: CloudFront was busy all the time.

        """
        invalidation: Any = {
            "Paths": {"Quantity": len(batch.paths), "Items": batch.paths},
            "CallerReference": batch.reference,
        }
        client = self._client_of(batch.account)
        # Left out for the service's own account, as in executions of earlier versions.
        where = {"account": batch.account} if batch.account else {}
        if batch.tenant:
            response = self._call(
                client.create_invalidation_for_distribution_tenant,
                {"Id": batch.tenant, "InvalidationBatch": invalidation},
            )
            return {"tenantId": batch.tenant, "invalidationId": response["Invalidation"]["Id"]} | where
        arguments = {"DistributionId": batch.distribution_id, "InvalidationBatch": invalidation}
        response = self._call(client.create_invalidation, arguments)
        return {"distributionId": batch.distribution_id, "invalidationId": response["Invalidation"]["Id"]} | where

    def is_completed(self, created: Mapping[str, str]) -> bool:
        """Return whether an invalidation is completed; `created` is what `create` returned.

        Raises:
            CloudFrontBusy: CloudFront was busy all the time.

        """
        number, client = created["invalidationId"], self._client_of(created.get("account", ""))
        if "tenantId" in created:
            call = client.get_invalidation_for_distribution_tenant
            response = self._call(call, {"DistributionTenantId": created["tenantId"], "Id": number})
        else:
            arguments = {"DistributionId": created["distributionId"], "Id": number}
            response = self._call(client.get_invalidation, arguments)
        return bool(response["Invalidation"]["Status"] == COMPLETED)

    def _call(self, call: Callable[..., Any], arguments: Mapping[str, object]) -> Any:  # noqa: ANN401 - boto3's own
        until = min(self._until, self._clock() + PATIENCE_SECONDS)
        pause = 1.0
        while True:
            try:
                return call(**arguments)
            except (ClientError, HTTPClientError, NotConnectedError) as error:
                if not is_busy(error):
                    raise
                # Full jitter, so that runs that were rejected together do not come back together.
                wait = random.uniform(pause / 2, pause)  # noqa: S311 - no secret
                if self._clock() + wait > until:
                    raise CloudFrontBusy(f"CloudFront is busy: {error}") from error
                logger.info("CloudFront is busy", extra={"error": str(error), "seconds": round(wait, 1)})
                self._sleep(wait)
                pause = min(LONGEST_PAUSE, 2 * pause)


def is_busy(error: Exception) -> bool:
    """Return whether the same call may succeed later: CloudFront is busy or was not reached.

    TooManyInvalidationsInProgress is not busy: paths of other callers are in progress, perhaps for a quarter of an
    hour, so the state machine waits instead of this invocation.
    """
    if not isinstance(error, ClientError):
        return True
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = error.response.get("Error", {}).get("Code", "")
    return code in BUSY_CODES or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
