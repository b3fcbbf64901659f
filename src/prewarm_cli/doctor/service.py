"""The first checks of `prewarm doctor`: address, key, versions, clocks, and what the service says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm import __version__
from prewarm.diagnosis import Check, Row, Texts
from prewarm_cli.api_client import Client
from prewarm_cli.api_errors import RequestRefused
from prewarm_cli.errors import CommandFailed
from prewarm_cli.output import times

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

# AWS refuses signatures that are more than five minutes old, or from the future (IAM User Guide, "Signature Version
# 4", "Elements of a request signature").
MOST_SKEW, SOME_SKEW = 300.0, 60.0
WRONG_KEY = "prewarm-doctor-has-no-key"

API = Check(
    "api",
    Texts(
        "the API responds, and accepts the key",
        "no command reaches the service; the rest was not checked",
        "copy the stack's output ApiUrl, with its stage (/v1), into `prewarm configure`; check that this machine "
        "reaches it",
    ),
)
API_KEY = Check(
    "api_key",
    Texts(
        "a call with another key is refused",
        "anyone who knows the address can start runs at your cost",
        "deploy the template as it is: each route but the dashboard and /openapi.json requires the key",
    ),
)
SERVICE = Check(
    "diagnose",
    Texts(
        "the service checks itself",
        "what only the service can see is not known",
        "deploy the version of this command (docs/deploy.md), and read the log of the API function",
    ),
)
VERSION = Check(
    "version",
    Texts(
        "service and command have the same version",
        "options of the newer one have no effect, or are refused by the older one",
        "upgrade the older one (docs/deploy.md)",
    ),
)
CLOCK = Check(
    "clock",
    Texts(
        "this machine's clock agrees with the service's",
        "AWS refuses what this machine signs, and times of runs look wrong",
        "set this machine's clock by NTP",
    ),
)
REFUSED_KEY = (
    "the address is right, and the key is not one of this API; the rest was not checked",
    "run `prewarm configure` with the value that `aws apigateway get-api-key --include-value --api-key ID` prints",
)


def error_code(failed: CommandFailed) -> str:
    """Return the code of an error response, empty if the service sent none."""
    error = failed.document.get("error")
    return str(error.get("code") or "") if isinstance(error, dict) else ""


def check_api(client: Client) -> Row:
    """Check address and key by listing a run."""
    try:
        client.runs({}, 1, None)
    except CommandFailed as failed:
        if error_code(failed) == "Forbidden":
            return API.failure(str(failed), *REFUSED_KEY)
        if error_code(failed) == "Throttled":
            return API.failure(str(failed), API.texts.means, "wait a minute; raise ApiRateLimit if it stays")
        return API.failure(str(failed))
    return API.ok(f"{client.name} lists its runs")


def check_key_needed(client: Client) -> Row:
    """Check that the API refuses another key; calls of the function itself need none."""
    if not client.key:
        return API_KEY.ok("not used: the function is called with your AWS credentials")
    try:
        Client(client.url, WRONG_KEY).runs({}, 1, None)
    except CommandFailed as failed:
        if error_code(failed) == "Forbidden":
            return API_KEY.ok("403 Forbidden")
        return API_KEY.warning(str(failed), "whether the API requires its key is not known", "try again")
    return API_KEY.failure("the API accepted a key that it cannot know")


def ask_service(client: Client, url: str | None, now: Callable[[], dt.datetime]) -> tuple[dict[str, Any], list[Row]]:
    """Return GET /diagnose's document, empty if there is none, and rows about it, the version and the clock."""
    began = now()
    try:
        document = client.diagnose(url)
    except CommandFailed as failed:
        if url is not None and isinstance(failed, RequestRefused):
            # The URL is the only value that the call sends.
            problems = "; ".join(str(each.get("message")) for each in failed.details)
            raise CommandFailed(f"URL: {problems}", failed.code, failed.document) from failed
        return {}, [SERVICE.failure(str(failed))]
    rows = [judge_version(document["version"]), judge_clock(document["time"], began, now())]
    return document, rows


def judge_version(service: str) -> Row:
    """Return the row about the two versions. Pure."""
    detail = f"service {service}, command {__version__}"
    return VERSION.ok(detail) if service == __version__ else VERSION.warning(detail)


def judge_clock(text: str, began: dt.datetime, ended: dt.datetime) -> Row:
    """Return the row about the service's time, which is between a call's begin and end if the clocks agree. Pure."""
    service = times.parse(text)
    if service is None:
        return CLOCK.warning(f"the service's time cannot be read: {text[:40]!r}", "its clock is unknown")
    skew = max((began - service).total_seconds(), (service - ended).total_seconds(), 0.0)
    detail = f"the clocks differ by {skew:,.0f} s" if skew >= 1 else "the clocks differ by less than 1 s"
    if skew >= MOST_SKEW:
        return CLOCK.failure(detail)
    return CLOCK.warning(detail) if skew >= SOME_SKEW else CLOCK.ok(detail)
