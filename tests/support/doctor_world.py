"""The embedded stack as `prewarm doctor` meets it, with a fault on demand in front of edge, DNS and AWS."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from prewarm.catalogue import catalogue, client_subnets
from prewarm.diagnosis import OK, Row
from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.stack import EmbeddedStack
from resolve.diagnose_edge import SUBNETS_OF, candidates_of
from tests.support.strict_edge import strict_cloudfront
from tests.trust.aws_calls import Call
from tests.trust.aws_proxy import AwsProxy, Fault
from tests.trust.dns_proxy import DnsProxy

DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
FORBIDDEN_DOMAIN, FORBIDDEN_HOST = "d222abcdef8.cloudfront.net", "img.example.org"
URL = f"https://{HOST}/page.html"
NEVER_KEPT = f"https://{HOST}/never-kept.html"
# One POP of each continent exists; the catalogue's others do not.
POPS = tuple(pops[0] for pops in candidates_of(catalogue()).values())
THREE = POPS[:3]
# More often than a test calls AWS.
ALWAYS = 1_000


@dataclass
class Denied(Fault):
    """AWS refuses the call, in the form of the protocol that its service has."""

    action: str
    status: int = 403

    def before(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        """Return the refusal in place of AWS's response."""
        user = "arn:aws:sts::123456789012:assumed-role/operator/jane"
        text = f"User: {user} is not authorized to perform: {self.action}"
        if call.service in {"s3", "cloudfront", "sts"}:
            error = f"<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>"
            body = error if call.service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
            return self.status, {"Content-Type": "text/xml"}, body.encode()
        body = json.dumps({"__type": "AccessDeniedException", "message": text, "Message": text})
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
        return self.status, headers, body.encode()


@dataclass
class Reply(Fault):
    """A response in place of AWS's, which AWS knows nothing of."""

    document: Mapping[str, Any]

    def before(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        """Return the response."""
        return 200, {"Content-Type": "application/json"}, json.dumps(self.document).encode()


@dataclass
class DoctorWorld:
    """What a test may break; `heal` ends all faults."""

    edge: SimulatedCloudFront
    dns: DnsProxy
    aws: AwsProxy
    stack: EmbeddedStack
    invalidated: list[str]

    def heal(self) -> None:
        """End all faults."""
        self.aws.clear()
        self.dns.clear()
        self.edge.fault("*", None)
        for pop in POPS:
            self.edge.dark(pop, dark=False)

    def diagnose(self, url: str | None = URL) -> dict[str, dict[str, Any]]:
        """Call GET /diagnose, and return its rows by check."""
        response = requests.get(
            f"{self.stack.api}/diagnose",
            params={} if url is None else {"url": url},
            headers={"x-api-key": self.stack.api_key},
            timeout=35,
        )
        assert response.status_code == 200, response.text
        return {row["check"]: row for row in response.json()["checks"]}


@contextlib.contextmanager
def doctor_world(logs: Path) -> Iterator[DoctorWorld]:
    """Run the stack, in which two distributions exist and one may be warmed."""
    config = {
        "distributions": [
            {"domain": DOMAIN, "aliases": [HOST]},
            {"domain": FORBIDDEN_DOMAIN, "aliases": [FORBIDDEN_HOST]},
        ],
        "pops": list(POPS),
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in POPS},
        "client_subnets": {client_subnets()[place]: pop for place, pop in zip(SUBNETS_OF, POPS, strict=False)},
        # Below the size that the edge compresses: a copy that is served plain would be waited for.
        "default_object": {"size": 900},
        "objects": {"/never-kept.html": {"size": 900, "headers": {"Cache-Control": "max-age=0, no-store"}}},
        "error_ttl": 1,
    }
    with contextlib.ExitStack() as cleanup:
        edge = cleanup.enter_context(strict_cloudfront(config))
        host, _, port = edge.settings()["PREWARM_NAMESERVERS"].partition(":")
        dns = DnsProxy((host, int(port)))
        cleanup.callback(dns.stop)
        aws = AwsProxy()
        cleanup.callback(aws.stop)
        environment = edge.settings() | {
            "PREWARM_NAMESERVERS": dns.address,
            "PREWARM_EDGE_NAMESERVER_PORT": dns.address.rpartition(":")[2],
            "PREWARM_ERROR_CACHE_SECONDS": "1",
            "AWS_ENDPOINT_URL": aws.endpoint,
            # Not the embedded stack's prices: those of the service are to be tested, too.
            "PREWARM_OWN_MACHINE": "false",
        }
        invalidated: list[str] = []

        def invalidate(domain: str, paths: list[str]) -> None:
            invalidated.extend(paths)
            edge.purge(paths, domain=domain)

        stack = cleanup.enter_context(
            EmbeddedStack(
                distributions=[f"{DOMAIN}={HOST}", f"{FORBIDDEN_DOMAIN}={FORBIDDEN_HOST}"],
                parameters={"AllowedDistributions": DOMAIN},
                environment=environment,
                log_dir=logs,
                on_invalidation=invalidate,
            )
        )
        aws.upstream = int(stack.endpoint.rpartition(":")[2])
        yield DoctorWorld(edge, dns, aws, stack, invalidated)


def explained(row: Row) -> bool:
    """Return whether a row that is not ok says what it means and what to do."""
    return row.result != OK and bool(row.detail and row.meaning and row.action)
