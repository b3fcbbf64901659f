"""Run the simulated CloudFront: `python -m prewarm_local.edge CONFIG.json`.

Prints one line of JSON when all listeners are ready. Ends on SIGTERM, on SIGINT or when its standard input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

from prewarm_local.edge import http1
from prewarm_local.edge.config import ConfigError, EdgeConfig, load_config
from prewarm_local.edge.control import Control
from prewarm_local.edge.faults import UnknownFault
from prewarm_local.edge.listeners import raise_descriptor_limit
from prewarm_local.edge.world import World


def _watch_input(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Set `ended` when standard input closes.

    A child that outlives its parent would keep the ports.
    """
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            ended.set()

    # A file or /dev/null cannot be watched; signals still end the process.
    with contextlib.suppress(PermissionError):
        loop.add_reader(descriptor, readable)


async def run(config: EdgeConfig, directory: Path) -> None:
    """Serve until the process should end.

    The CA bundle goes to `directory` unless the configuration sets a path.
    """
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of each viewer that leaves early
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    world = World(config)
    dns_port = await world.start()
    bundle = Path(config.ca_bundle) if config.ca_bundle else directory / "ca.pem"
    world.certificates.write_bundle(bundle)
    _, control_port = await http1.serve(Control(world).respond)
    ready = {
        "https_port": world.listeners.https_port,
        "http_port": world.listeners.http_port,
        "nameserver": f"127.0.0.1:{dns_port}",
        "ca_bundle": str(bundle),
        "edge_networks": "127.0.0.0/8",
        "control": f"http://127.0.0.1:{control_port}",
        "addresses": world.listeners.addresses,
    }
    # Objects created so far live to the end, and many small cache entries make frequent collections expensive.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    _watch_input(loop, ended)
    await ended.wait()


def main() -> int:
    """Run the program and return its exit status."""
    match sys.argv[1:]:
        case [argument]:
            path = Path(argument)
        case _:
            sys.stderr.write("usage: python -m prewarm_local.edge CONFIG.json\n")
            return 2
    raise_descriptor_limit()
    try:
        config = load_config(path)
        with tempfile.TemporaryDirectory(prefix="edge-") as directory:
            asyncio.run(run(config, Path(directory)))
    except (ConfigError, UnknownFault, OSError) as error:
        sys.stderr.write(f"simulated CloudFront: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
