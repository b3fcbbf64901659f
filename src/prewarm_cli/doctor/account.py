"""The checks of `prewarm doctor` that use your AWS credentials: whose they are, concurrency, and a direct start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm.diagnosis import Check, Row, Texts
from prewarm_cli.doctor.aws_errors import CallFailed, NoCredentials

if TYPE_CHECKING:
    from prewarm_cli.doctor.aws_calls import AwsCalls

# Invocations next to the workers: API, resolve, invalidate, aggregate and notifications, and other functions.
SPARE = 10
INSTALL = "install the extra: pipx install 'cloudfront-prewarm[aws]'"
SET_CREDENTIALS = "set AWS credentials of the service's account (AWS_PROFILE or AWS_ACCESS_KEY_ID)"

CREDENTIALS = Check(
    "credentials",
    Texts(
        "the AWS credentials belong to the service's account",
        "concurrency and a direct start are not checked; the service itself does not need your credentials",
        SET_CREDENTIALS,
    ),
)
CONCURRENCY = Check(
    "concurrency",
    Texts(
        "Lambda runs as many workers at once as requests ask for",
        "Lambda throttles workers, so runs take longer and may reach their deadline",
        "ask for a higher quota (Service Quotas, Lambda, Concurrent executions), lower max_concurrency, or reserve "
        "concurrency for the warm function (WarmReservedConcurrency)",
    ),
)
DIRECT_START = Check(
    "direct_start",
    Texts(
        "a run that is started at the state machine is accepted and shown by the API",
        "pipelines, schedules and SDKs that start the state machine directly do not work",
        "allow states:StartExecution on the output StateMachineArn to the roles that start runs directly",
    ),
)
CHECKS = (CREDENTIALS, CONCURRENCY, DIRECT_START)


class Account:
    """Your AWS account; `usable` is whether calls to it are worth making, once `credentials` was called."""

    def __init__(self, state_machine_arn: str) -> None:
        # arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME
        self.arn = state_machine_arn
        _, _, _, self.region, self.id, *_ = [*state_machine_arn.split(":"), *[""] * 5]
        self.usable = False
        self._calls: AwsCalls | None = None

    def credentials(self) -> Row:
        """Check that there are credentials, and that they are the account's."""
        try:
            # boto3 comes with the extra, and takes half a second to import.
            from prewarm_cli.doctor.aws_calls import AwsCalls  # noqa: PLC0415
        except ModuleNotFoundError as error:
            return CREDENTIALS.skipped(f"{error.name} is not installed", INSTALL)
        try:
            self._calls = AwsCalls(self.region)
            own = self._calls.account()
        except NoCredentials as error:
            return CREDENTIALS.warning(f"not checked: {error}")
        except CallFailed as error:
            return CREDENTIALS.failure(str(error), "AWS refuses the credentials of this machine")
        if own != self.id:
            return CREDENTIALS.warning(f"they belong to the account {own}, the service to {self.id}")
        self.usable = True
        return CREDENTIALS.ok(f"account {own}, Region {self.region}")

    def concurrency(self, needed: int) -> Row:
        """Check the account's limit of concurrent executions against a max_concurrency."""
        assert self._calls is not None
        try:
            limit, unreserved = self._calls.concurrency()
        except (NoCredentials, CallFailed) as error:
            means = "whether Lambda runs enough workers at once is not known"
            return CONCURRENCY.warning(str(error), means, "allow lambda:GetAccountSettings to these credentials")
        return judge_concurrency(limit, unreserved, needed)

    def start(self, name: str, document: dict[str, Any]) -> str | Row:
        """Start a run at the state machine; return its requestID, or the row about why it did not start."""
        assert self._calls is not None
        try:
            return self._calls.start_execution(self.arn, name, document)
        except NoCredentials as error:
            return DIRECT_START.warning(str(error))
        except CallFailed as error:
            return DIRECT_START.warning(str(error)) if error.denied else DIRECT_START.failure(str(error))

    def skipped(self) -> list[Row]:
        """Return the rows of the checks that need credentials."""
        return [check.skipped("no usable credentials", SET_CREDENTIALS) for check in (CONCURRENCY, DIRECT_START)]


def judge_concurrency(limit: int, unreserved: int, needed: int) -> Row:
    """Return the row for an account's limits; `needed`: the highest max_concurrency of requests. Pure."""
    detail = (
        f"{unreserved:,} of the account's {limit:,} concurrent executions are unreserved; requests ask for {needed:,}"
    )
    if unreserved < needed:
        return CONCURRENCY.failure(detail)
    if unreserved < needed + SPARE:
        means = "the workers leave little for the API and the other functions, which Lambda may throttle"
        return CONCURRENCY.warning(detail, means)
    return CONCURRENCY.ok(detail)
