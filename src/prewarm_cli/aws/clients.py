"""boto3 clients with the user's own credentials, and AWS's errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm import __version__
from prewarm_cli.errors import DISTRIBUTION, Code, CommandFailed
from prewarm_cli.failure_reasons import connection_reason

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

# Error codes of requests whose signature AWS does not accept (IAM and AWS services' "Common errors").
BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})
# botocore's exceptions for a connection that failed; the others are about the configuration of this machine.
CONNECTION_ERRORS = ("ConnectionError", "HTTPClientError")


def client(service: str, region: str | None, **options: Any) -> Any:  # noqa: ANN401 - boto3's
    """Return a client of a service in a Region (None: that of the user's profile); `options` go to its Config.

    Raises:
        CommandFailed: boto3 is not installed, or the profile cannot be read.

    """
    try:
        import boto3  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        needed = f"a call to AWS needs the aws extra: pipx install '{DISTRIBUTION}[aws]'"
        raise CommandFailed(needed, Code.SERVICE) from error
    config = Config(user_agent_extra=f"prewarm/{__version__}", **options)
    try:
        create: Any = boto3.Session(region_name=region).client
        return create(service, config=config)
    except BotoCoreError as error:
        raise unsent(error, service) from error


def unsent(error: BotoCoreError, what: str) -> CommandFailed:
    """Return the failure for a call that got no response: no credentials, no Region, no connection."""
    names = {each.__name__ for each in type(error).__mro__}
    reason = connection_reason(error) if names & set(CONNECTION_ERRORS) else " ".join(str(error).split())
    if "NoCredentialsError" in names:
        reason = "no AWS credentials; set AWS_PROFILE, or run `aws sso login` or `aws configure`"
    elif "NoRegionError" in names:
        reason = "no AWS Region; pass --region or set AWS_REGION"
    return CommandFailed(f"cannot call {what}: {reason}", Code.SERVICE)


def code_of(error: ClientError) -> str:
    """Return the code of AWS's error response, such as AccessDeniedException."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return AWS's code and message, on one line."""
    text = error.response.get("Error", {}).get("Message", "")
    return " ".join(f"{code_of(error)}: {text}".split())


def refused(error: ClientError, what: str, right: str) -> CommandFailed:
    """Return the failure for AWS's error response; `right`: the action that the call needs."""
    if code_of(error) in DENIED:
        return CommandFailed(
            f"{what}: your AWS credentials lack the permission {right} ({message_of(error)})", Code.SERVICE
        )
    if code_of(error) in BAD_CREDENTIALS:
        hint = "AWS does not accept your credentials; renew them, or set AWS_PROFILE"
        return CommandFailed(f"{what}: {hint} ({message_of(error)})", Code.SERVICE)
    return CommandFailed(f"{what}: {message_of(error)}", Code.SERVICE)
