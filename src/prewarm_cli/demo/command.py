"""`prewarm demo`: the embedded stack, a simulated CloudFront, two runs, and the proof."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prewarm_cli.command import command
from prewarm_cli.demo.site import DOMAIN, ERROR_CACHE_SECONDS, FAILING, IMAGES, PAGES, REGIONS, SHOP, Scenery, scenery

if TYPE_CHECKING:
    from rich.console import Console

    from prewarm_cli.demo.viewer import View
    from prewarm_local.edge.process import SimulatedCloudFront
    from prewarm_local.stack.stack import EmbeddedStack

PROVED_URL = f"https://{SHOP}/assets/app-4f2a91.js"
CONTRACT = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")
REQUEST_TIMEOUT = 30


@command("local")
def demo(
    *, keep: Annotated[bool, typer.Option("--keep", help="Leave it serving after the show, until Ctrl-C.")] = False
) -> None:
    """Warm a shop's release through every POP of Asia-Pacific and Europe, on this machine, in under a minute.

    A simulated CloudFront stands in for the real one: a POP on each of some 300 loopback addresses (Linux), each
    with TLS and a cache of its own. Everything else is the real service: API, state machine, functions.

    Examples:
      prewarm demo
      prewarm demo --keep
    """
    # Imported here: it takes two seconds, which `prewarm --help` need not wait for.
    from rich.console import Console  # noqa: PLC0415

    from prewarm_local.edge.process import SimulatedCloudFront  # noqa: PLC0415
    from prewarm_local.stack.stack import EmbeddedStack  # noqa: PLC0415

    console = Console(highlight=False)
    started = time.monotonic()
    world = scenery()
    distribution = f"{DOMAIN}={SHOP},{IMAGES}"
    with SimulatedCloudFront(world.config) as edge:
        tuned = {"PREWARM_ERROR_CACHE_SECONDS": str(ERROR_CACHE_SECONDS)}
        with EmbeddedStack(distributions=[distribution], environment=edge.settings() | tuned) as stack:
            console.print(f"The service is up: [bold]{stack.api}[/bold]  (the simulated CloudFront has", end=" ")
            console.print(f"{len(world.config['pops'])} POPs, our catalogue names {len(world.asked)} in {REGIONS})\n")
            failures = _play(world, edge, stack, console)
            console.print(f"\nThat took {time.monotonic() - started:.0f} s.")
            for failure in failures:
                console.print(f"[red]Not as it should be: {failure}[/red]")
            if keep:
                leave_serving(stack.api, stack.api_key, console)
            else:
                console.print("`prewarm demo --keep` leaves it serving, for a look at its dashboard and its API.")
    raise typer.Exit(1 if failures else 0)


def leave_serving(api: str, key: str, console: Console) -> None:
    """Say where the service is, and return when Ctrl-C or SIGTERM comes."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        # One item a line, and never wrapped: they are there to be copied.
        console.print(f"\nThe dashboard: {api}/", highlight=False, soft_wrap=True)
        console.print(f"The API key to enter there: {key}", highlight=False, soft_wrap=True, markup=False)
        console.print("It serves until Ctrl-C.")
        ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _play(world: Scenery, edge: SimulatedCloudFront, stack: EmbeddedStack, console: Console) -> list[str]:
    """Play the demo; returns what did not come out as it should."""
    console.print(f"[bold]A cold cache.[/bold] Viewers ask for {PROVED_URL}:")
    before = _views(world, edge, console)
    # Those viewers have warmed it for themselves; the caches are emptied again.
    edge.purge(["/*"])

    console.print(f"\n[bold]A run:[/bold] {len(PAGES) + len(FAILING)} URLs, three of them broken at the origin")
    first = _run(stack, [*PAGES, *FAILING], console)
    console.print("\nGET /status says:")
    console.print_json(json.dumps({name: first[name] for name in CONTRACT}))
    reasons = Counter(entry["reason"] for entry in first["skippedPops"])
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    skipped = " ".join(entry["pop"] for entry in first["skippedPops"])
    console.print(f"\nPOPs skipped ({told}): {skipped}", soft_wrap=True)

    console.print("\n[bold]The proof.[/bold] The same viewers ask again:")
    after = _views(world, edge, console)

    console.print("\n[bold]The run again,[/bold] without the three broken URLs:")
    second = _run(stack, list(PAGES), console)
    checks = {
        "the first run must be FAILED": first["status"] == "FAILED",
        "exactly the three broken URLs must fail": sorted(first["failedUrl"]) == sorted(FAILING),
        "every other URL must be warm": sorted(first["successUrl"]) == sorted(PAGES),
        "POPs that are gone must be skipped and listed": bool(reasons),
        "before, every viewer must get a Miss": all(seen.x_cache.startswith("Miss") for seen in before),
        "after, every viewer must get a Hit": all(seen.x_cache.startswith("Hit") for seen in after),
        "the second run must be COMPLETED": second["status"] == "COMPLETED",
    }
    return [what for what, held in checks.items() if not held]


def _run(stack: EmbeddedStack, urls: list[str], console: Console) -> dict[str, Any]:
    """Start a run through the API and follow it to its end; returns its last status."""
    import requests  # noqa: PLC0415

    from prewarm_cli.demo.table import follow  # noqa: PLC0415

    body = {"url_list": urls, "region_type": "region", "region": REGIONS}
    headers = {"x-api-key": stack.api_key}
    response = requests.post(f"{stack.api}/prewarm", json=body, headers=headers, timeout=REQUEST_TIMEOUT)
    response.raise_for_status()
    request_id = response.json()["requestID"]
    console.print(f"POST /prewarm → 200 {json.dumps(response.json())}", soft_wrap=True)

    def ask() -> dict[str, Any]:
        params = {"requestID": request_id}
        found = requests.get(f"{stack.api}/status", params=params, headers=headers, timeout=REQUEST_TIMEOUT)
        found.raise_for_status()
        status: dict[str, Any] = found.json()
        return status

    return follow(ask, console)


def _views(world: Scenery, edge: SimulatedCloudFront, console: Console) -> list[View]:
    """Let a viewer at each of three POPs ask for one URL."""
    from prewarm_cli.demo.viewer import view  # noqa: PLC0415

    seen = []
    for pop in world.viewers:
        got = view(PROVED_URL, edge.addresses[pop][0], edge.settings())
        timing = f"first byte in {got.ttfb_ms:.0f} ms"
        console.print(f"  through {got.pop:9}  {got.status}  X-Cache: {got.x_cache:22} {timing}")
        seen.append(got)
    return seen
