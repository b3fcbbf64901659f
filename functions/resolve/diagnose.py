"""GET /diagnose: checks that only the service can make, of its DNS, its stores, CloudFront's API and POPs."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

from prewarm.counted import count_of
from prewarm.diagnosis import Check, Group, Row, Texts, run_checks
from prewarm.request.url_parser import parse_url
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from resolve.diagnose_edge import CLIENT_SUBNETS, POP_NAMES, REACHABILITY, EdgeChecks
from resolve.distributions.accounts import OWN
from resolve.distributions.cloudfront_client import cloudfront_client
from resolve.distributions.finder import DistributionFinder
from resolve.distributions.model import Distribution
from resolve.dns_lookup import addresses_of

# The API waits 24 s for the function, of which a cold start takes up to five.
SECONDS = 17.0
# In the account's CloudFront API; more tries would outlast the caller.
CLOUDFRONT_TRIES = 2
# A name that no execution has (Executions.FORBIDDEN), so that the documents of a run are never replaced.
RUN = "~diagnose"
# Queried without a URL; whether it has an address does not matter.
ANY_NAME = "cloudfront.net"

DNS = Check(
    "dns",
    Texts(
        "the functions' nameservers respond",
        "no name resolves, so every run is rejected",
        "in a VPC, enable its DNS resolution and open outgoing TCP and UDP 53 (VpcSecurityGroupIds); check "
        "PREWARM_NAMESERVERS if it is set",
    ),
)
BUCKET = Check(
    "bucket",
    Texts(
        "the function stores and reads documents of runs",
        "no run can be planned, and no report can be stored",
        "deploy the template's bucket and roles as they are; check a permissions boundary, an SCP, the KMS key's "
        "policy, and in a VPC the route to S3",
    ),
)
TABLE = Check(
    "table",
    Texts(
        "the function writes and reads the ledger",
        "no run can begin, and progress is not shown",
        "deploy the template's table and roles as they are; check a permissions boundary, an SCP, the KMS key's "
        "policy, and in a VPC the route to DynamoDB",
    ),
)
CLOUDFRONT_API = Check(
    "cloudfront_api",
    Texts(
        "the function lists the account's distributions",
        "no host can be matched with a distribution, so every run is rejected",
        "allow cloudfront:ListDistributions (a permissions boundary or an SCP may deny it); in a VPC, add a route to "
        "the internet (NAT gateway)",
    ),
)
DISTRIBUTION = Check(
    "distribution",
    Texts(
        "the URL's host belongs to a distribution that the service may warm",
        "runs with URLs of this host are rejected",
        "pass a URL of a host that one of the account's distributions lists as an alias, or allow that distribution "
        "(the stack's parameter AllowedDistributions)",
    ),
)
NO_URL = "no URL was given"
GIVE_URL = "pass a URL of a site that the service may warm"


def diagnose(url: str | None, settings: Settings, store: Storage, seconds: float = SECONDS) -> dict[str, Any]:
    """Return {"checks": rows, "pops": ids} after at most `seconds`.

    `url`: any URL of a site that the service may warm; without one, only checks that do not depend on a host are
    made. `pops`: POPs that responded, one of each continent first, those outside the distribution's price class last.
    """
    host = parse_url(url).host if url else ""
    edge = EdgeChecks(settings, store)
    finder = DistributionFinder(settings, {OWN: cloudfront_client(CLOUDFRONT_TRIES)})

    def of_edge() -> Iterator[Row]:
        listed = f"{count_of(len(finder.listed), 'distribution')} listed"
        unreadable = "; ".join(finder.unreadable.values())
        yield CLOUDFRONT_API.warning(f"{listed}; {unreadable}") if unreadable else CLOUDFRONT_API.ok(listed)
        if not url:
            yield from (check.skipped(NO_URL, GIVE_URL) for check in edge_checks[1:])
            return
        found = finder.find({host}, None)
        distribution = found.distributions.get(host)
        if distribution is None:
            yield DISTRIBUTION.failure(found.reasons[host])
            return
        yield DISTRIBUTION.ok(_described(host, distribution))
        yield from edge.rows(url, distribution)

    edge_checks = (CLOUDFRONT_API, DISTRIBUTION, POP_NAMES, CLIENT_SUBNETS, REACHABILITY)
    groups = [
        Group([DNS], lambda: _dns(host, settings)),
        Group([BUCKET], lambda: _bucket(store)),
        Group([TABLE], lambda: _table(store)),
        Group(edge_checks, of_edge),
    ]
    rows = run_checks(groups, seconds)
    return {"checks": [row.as_json() for row in rows], "pops": list(edge.pops)}


def _described(host: str, distribution: Distribution) -> str:
    name = distribution.domain + (f" ({distribution.id})" if distribution.id else "")
    tenant = f", tenant {distribution.tenant}" if distribution.tenant else ""
    return f"{host} is served by {name}{tenant}"


def _dns(host: str, settings: Settings) -> Iterator[Row]:
    name = host or ANY_NAME
    addresses = addresses_of([name], settings)[name]
    if addresses is None:
        yield DNS.warning(f"the nameservers give no usable response for {name}", "its addresses are unknown")
    elif addresses or not host:
        yield DNS.ok(f"{name} has {len(addresses)} IPv4 address{'' if len(addresses) == 1 else 'es'}")
    else:
        means = "viewers cannot reach this host yet; POPs can be warmed before its DNS points to CloudFront"
        yield DNS.warning(f"{name} has no IPv4 address", means, "check the host's name, or its DNS records")


def _bucket(store: Storage) -> Iterator[Row]:
    token = secrets.token_hex(8)
    store.put_request(RUN, {"diagnosis": token})
    stored = store.get_request(RUN)
    # Two callers may diagnose at the same time, so the content may be the other's.
    if stored is None or set(stored) != {"diagnosis"}:
        yield BUCKET.failure("the document that was stored cannot be read back")
    else:
        yield BUCKET.ok("a document was stored and read")


def _table(store: Storage) -> Iterator[Row]:
    run, deadline = f"{RUN}-{secrets.token_hex(8)}", int(time.time()) + 60
    store.ledger.open_run(run, deadline)
    if store.ledger.control(run).deadline != deadline:
        yield TABLE.failure("the item that was written cannot be read back")
    else:
        yield TABLE.ok("an item was written and read")
