"""The embedded stack in front of nginx as all POPs."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.edges import HOST, NO_FAULTS, edges
from prewarm_local.edge.config import Distribution
from prewarm_local.edge.nameserver import Zone, serve_dns
from prewarm_local.stack.stack import EmbeddedStack

DOMAIN = "d111abcdef8.cloudfront.net"


@contextmanager
def stack_with_nginx(pops: Sequence[str], faults: str = NO_FAULTS) -> Iterator[EmbeddedStack]:
    """Run the stack with two workers and nginx as these POPs until the block ends; `faults`: see edges."""
    with edges(None, pops, faults) as ready:
        settings = {
            "PREWARM_NAMESERVERS": f"127.0.0.1:{_nameserver(ready.addresses)}",
            "PREWARM_CA_BUNDLE": ready.one_root,
            "PREWARM_HTTPS_PORT": str(ready.port),
            "PREWARM_EDGE_NETWORKS": "127.0.77.0/24",
            "POWERTOOLS_LOG_LEVEL": "ERROR",
        }
        with EmbeddedStack(distributions=[f"{DOMAIN}={HOST}"], environment=settings, cap=2) as stack:
            yield stack


def _nameserver(addresses: dict[str, str]) -> int:
    """Respond to queries for the POPs' names in a thread; return the port."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    zone = Zone([Distribution(DOMAIN, (HOST,))], {pop: [address] for pop, address in addresses.items()}, {})
    return asyncio.run_coroutine_threadsafe(serve_dns(zone, 0), loop).result(10)
