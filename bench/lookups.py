"""The duration of a run's DNS queries, with a stub nameserver that responds after a delay and with a dead one.

.venv/bin/python bench/lookups.py
.venv/bin/python bench/lookups.py --names 5000 --delay-ms 50
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import time
from multiprocessing.connection import Connection
from typing import cast

import dns.message
import dns.rrset

from prewarm.catalogue import catalogue
from prewarm.settings import Settings
from resolve.dns_lookup import NameserversSilent, addresses_of, pop_name


class Stub(asyncio.DatagramProtocol):
    """A nameserver that responds to every query with one address, after `delay` seconds."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport for the responses."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Schedule the response to a query."""
        query = dns.message.from_wire(data)
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.1"))
        asyncio.get_running_loop().call_later(self._delay, self._transport.sendto, response.to_wire(), addr)


def serve(delay: float, ready: Connection) -> None:
    """Run the nameserver; send its port to `ready`."""

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: Stub(delay), local_addr=("127.0.0.1", 0))
        ready.send(transport.get_extra_info("sockname")[1])
        await asyncio.Event().wait()

    asyncio.run(forever())


def settings(port: int) -> Settings:
    """Return settings with one nameserver."""
    stores = {"PREWARM_BUCKET": "none", "PREWARM_TABLE": "none"}
    return Settings.from_environment(os.environ | stores | {"PREWARM_NAMESERVERS": f"127.0.0.1:{port}"})


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--names", type=int, default=len(catalogue().pops))
    options.add_argument("--delay-ms", type=float, default=20)
    chosen = options.parse_args()
    pops = list(catalogue().pops)
    names = [pop_name(f"d{number // len(pops)}", pops[number % len(pops)]) for number in range(chosen.names)]
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(chosen.delay_ms / 1000, there), daemon=True)
    process.start()
    nameserver = settings(here.recv())
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert all(addresses_of(names, nameserver).values())
        took.append(time.monotonic() - began)
    process.terminate()
    print(f"{chosen.names:,} names at {chosen.delay_ms:.0f} ms a response: {sorted(took)[1]:.2f} s (median of 3)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        began = time.monotonic()
        try:
            addresses_of(names, settings(dead.getsockname()[1]))
        except NameserversSilent:
            print(f"a nameserver that never responds is abandoned after {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
