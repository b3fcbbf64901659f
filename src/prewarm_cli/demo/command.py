"""`prewarm demo`: the embedded stack, a simulated CloudFront, two runs, and viewers that verify the result."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prewarm_cli.command import command
from prewarm_cli.demo.site import (
    ERROR_CACHE_SECONDS,
    FAILING,
    PAGES,
    REGIONS,
    SHOP,
    DemoSite,
    demo_site,
)

if TYPE_CHECKING:
    from rich.console import Console

    from prewarm_cli.demo.viewer import ViewerResponse
    from prewarm_local.edge.process import SimulatedCloudFront
    from prewarm_local.stack.stack import EmbeddedStack

VIEWED_URL = f"https://{SHOP}/assets/app-4f2a91.js"
CONTRACT = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")


@command("local")
def demo(
    *, keep: Annotated[bool, typer.Option("--keep", help="Keep serving after the demo, until Ctrl-C.")] = False
) -> None:
    """Warm a shop's release at every POP of Asia-Pacific and Europe, on this machine, in under a minute.

    A simulated CloudFront replaces the real one: each POP has one of some 300 loopback addresses (Linux), with
    its own TLS endpoint and cache. Everything else is the real service: API, state machine, functions.

    Examples:
      prewarm demo
      prewarm demo --keep
    """
    # Imported here: the import takes two seconds, and `prewarm --help` does not need it.
    from rich.console import Console  # noqa: PLC0415

    from prewarm_local.edge.process import SimulatedCloudFront  # noqa: PLC0415
    from prewarm_local.stack.stack import EmbeddedStack  # noqa: PLC0415

    console = Console(highlight=False)
    started = time.monotonic()
    site = demo_site()
    with SimulatedCloudFront(site.config) as edge:
        settings = edge.settings() | {"PREWARM_ERROR_CACHE_SECONDS": str(ERROR_CACHE_SECONDS)}
        with EmbeddedStack(distributions=[site.distribution], environment=settings) as stack:
            console.print(f"The service is running: [bold]{stack.api}[/bold]  (the simulated CloudFront has", end=" ")
            counts = f"{len(site.config['pops'])} POPs, the catalogue lists {len(site.requested_pops)} in {REGIONS}"
            console.print(f"{counts})\n")
            failures = _run_demo(site, edge, stack, console)
            console.print(f"\nThe demo took {time.monotonic() - started:.0f} s.")
            for failure in failures:
                console.print(f"[red]Check failed: {failure}[/red]")
            if keep:
                serve_until_signal(stack.api, stack.api_key, console)
            else:
                console.print("`prewarm demo --keep` keeps serving, so that you can try the dashboard and the API.")
    raise typer.Exit(1 if failures else 0)


def serve_until_signal(api: str, key: str, console: Console) -> None:
    """Print the service's address and key, and return on Ctrl-C or SIGTERM."""
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        # One item per line and never wrapped, so that they can be copied.
        console.print(f"\nDashboard: {api}/", highlight=False, soft_wrap=True)
        console.print(f"API key: {key}", highlight=False, soft_wrap=True, markup=False)
        console.print("Serving until Ctrl-C.")
        stop.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _run_demo(site: DemoSite, edge: SimulatedCloudFront, stack: EmbeddedStack, console: Console) -> list[str]:
    """Run the demo, and return the checks that failed."""
    console.print(f"[bold]A cold cache.[/bold] Viewers request {VIEWED_URL}:")
    before = _viewer_requests(site, edge, console)
    # These viewers have warmed the URL for themselves, so the caches are emptied again.
    edge.purge(["/*"])

    console.print(f"\n[bold]A run:[/bold] {len(PAGES) + len(FAILING)} URLs, three of them broken at the origin")
    first = _warm(stack, [*PAGES, *FAILING], console)
    console.print("\nGET /status returns:")
    console.print_json(json.dumps({name: first[name] for name in CONTRACT}))
    reasons = Counter(entry["reason"] for entry in first["skippedPops"])
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    skipped = " ".join(entry["pop"] for entry in first["skippedPops"])
    console.print(f"\nSkipped POPs ({counts}): {skipped}", soft_wrap=True)

    console.print("\n[bold]The result.[/bold] The same viewers repeat their requests:")
    after = _viewer_requests(site, edge, console)

    console.print("\n[bold]A second run,[/bold] without the three broken URLs:")
    second = _warm(stack, list(PAGES), console)
    checks = {
        "the first run must be FAILED": first["status"] == "FAILED",
        "exactly the three broken URLs must fail": sorted(first["failedUrl"]) == sorted(FAILING),
        "every other URL must be warm": sorted(first["successUrl"]) == sorted(PAGES),
        "retired POPs must be skipped and listed": bool(reasons),
        "before the run, every viewer must get a Miss": all(each.x_cache.startswith("Miss") for each in before),
        "after the run, every viewer must get a Hit": all(each.x_cache.startswith("Hit") for each in after),
        "the second run must be COMPLETED": second["status"] == "COMPLETED",
    }
    return [check for check, passed in checks.items() if not passed]


def _warm(stack: EmbeddedStack, urls: list[str], console: Console) -> dict[str, Any]:
    """Start a run through the API, display it until it ends, and return its last status."""
    from prewarm_cli.api_client import Client, new_idempotency_key  # noqa: PLC0415
    from prewarm_cli.demo.table import url_table  # noqa: PLC0415
    from prewarm_cli.follow import poll_until_end  # noqa: PLC0415
    from prewarm_cli.output.live import choose_display  # noqa: PLC0415
    from prewarm_cli.output.text import progress_line  # noqa: PLC0415

    client = Client(stack.api, stack.api_key)
    request = {"url_list": urls, "region_type": "region", "region": REGIONS}
    document = client.start(request, new_idempotency_key())
    console.print(f"POST /prewarm → 200 {json.dumps(document)}", soft_wrap=True)
    with choose_display() as display:
        status = poll_until_end(client, document["requestID"], display)
    console.print(progress_line(status), soft_wrap=True)
    console.print(url_table(status))
    return status


def _viewer_requests(site: DemoSite, edge: SimulatedCloudFront, console: Console) -> list[ViewerResponse]:
    """Request one URL as a viewer at each of three POPs, and return the responses."""
    from prewarm_cli.demo.viewer import viewer_get  # noqa: PLC0415

    responses = []
    for pop in site.viewer_pops:
        response = viewer_get(VIEWED_URL, edge.addresses[pop][0], edge.settings())
        timing = f"first byte in {response.ttfb_ms:.0f} ms"
        console.print(f"  through {response.pop:9}  {response.status}  X-Cache: {response.x_cache:22} {timing}")
        responses.append(response)
    return responses
