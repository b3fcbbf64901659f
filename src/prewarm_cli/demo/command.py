"""`prewarm demo`: the embedded stack, a simulated CloudFront, a run, its retry, and viewers that verify it."""

from __future__ import annotations

import gc
import json
import signal
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prewarm_cli.command import command
from prewarm_cli.config import EXPORT_HINT, export_lines
from prewarm_cli.demo.site import (
    ERROR_CACHE_SECONDS,
    FAILING,
    PAGES,
    REGIONS,
    SHOP,
    DemoSite,
    demo_site,
)
from prewarm_cli.output.terminal import columns, wrap

if TYPE_CHECKING:
    from prewarm_cli.api_client import Client
    from prewarm_cli.demo.viewer import ViewerResponse
    from prewarm_local.edge.process import SimulatedCloudFront
    from prewarm_local.stack.stack import EmbeddedStack

VIEWED_URL = f"https://{SHOP}/assets/app-4f2a91.js"
CONTRACT = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")


@command("local")
def demo(
    *, keep: Annotated[bool, typer.Option("--keep", help="Keep serving after the demo, until Ctrl-C.")] = False
) -> None:
    """Show a release being warmed at every POP of Asia-Pacific, in front of a simulated CloudFront.

    It takes less than half a minute. Each simulated POP has one of 180 loopback addresses (Linux), with its own TLS
    endpoint and cache. Everything else is the real service: API, state machine, functions.

    Examples:
      prewarm demo
      prewarm demo --keep
    """
    # Imported here: the import takes two seconds, and `prewarm --help` does not need it.
    from prewarm_local.edge.process import SimulatedCloudFront  # noqa: PLC0415
    from prewarm_local.stack.stack import EmbeddedStack  # noqa: PLC0415

    show = Show()
    started = time.monotonic()
    site = demo_site()
    with SimulatedCloudFront(site.config) as edge:
        settings = edge.settings() | {"PREWARM_ERROR_CACHE_SECONDS": str(ERROR_CACHE_SECONDS)}
        with EmbeddedStack(distributions=[site.distribution], environment=settings) as stack:
            gc.freeze()  # as `prewarm local`
            show.say(f"The service is running: {stack.api}")
            show.say(counts_text(site))
            if keep:
                show.service(stack.api, stack.api_key)
            failures = _run_demo(site, edge, stack, show)
            show.say(f"\nThe demo took {time.monotonic() - started:.0f} s.")
            for failure in failures:
                show.say(f"Check failed: {failure}", "red")
            if keep:
                # Again, since the show has scrolled it away.
                show.service(stack.api, stack.api_key)
                serve_until_signal(show)
            else:
                show.say("`prewarm demo --keep` keeps serving, so that you can try the dashboard and the API.")
    raise typer.Exit(1 if failures else 0)


def counts_text(site: DemoSite) -> str:
    """Return how many POPs there are, and why a run warms fewer than the catalogue lists."""
    listed, works = len(site.requested_pops), len(site.config["pops"])
    failing = len(site.config["dark"]) + len(site.config["impostors"])
    return (
        f"The catalogue lists {listed} POPs (CloudFront's edge locations) in {' and '.join(REGIONS)}. "
        f"The simulated CloudFront has {works} of "
        f"them, since the others are retired; {failing} of these fail on purpose, so that "
        f"{works - failing} can be warmed."
    )


class Show:
    """Prints the demo: lines wrapped between words on a terminal, and whole in a pipe."""

    def __init__(self) -> None:
        # Imported here, as above.
        from rich.console import Console  # noqa: PLC0415

        self.console = Console(highlight=False, soft_wrap=True, markup=False)

    def say(self, text: str, style: str = "") -> None:
        """Print a text, whose line breaks are kept."""
        width = columns()
        for line in text.split("\n"):
            for part in wrap(line, width):
                self.console.print(part, style=style or None)

    def service(self, api: str, key: str) -> None:
        """Print where the dashboard is, and the lines that make the command use this service."""
        # One item per line and never wrapped, so that they can be copied.
        for line in [f"\nDashboard: {api}/", f"API key: {key}", EXPORT_HINT, *export_lines(api, key)]:
            self.console.print(line)


def serve_until_signal(show: Show) -> None:
    """Return on Ctrl-C or SIGTERM."""
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        show.say("Serving until Ctrl-C.")
        stop.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _run_demo(site: DemoSite, edge: SimulatedCloudFront, stack: EmbeddedStack, show: Show) -> list[str]:
    """Run the demo, and return the checks that failed."""
    from prewarm_cli.api_client import Client, new_idempotency_key  # noqa: PLC0415
    from prewarm_cli.output.failures import report_hint  # noqa: PLC0415
    from prewarm_cli.output.skipped import skipped_lines  # noqa: PLC0415

    show.say(f"\nA cold cache. Viewers request {VIEWED_URL}:", "bold")
    before = _viewer_requests(site, edge, show)
    # These viewers have warmed the URL for themselves, so the caches are emptied again.
    edge.purge(["/*"])

    show.say(f"\nA run: {len(PAGES) + len(FAILING)} URLs, three of them broken at the origin", "bold")
    client = Client(stack.api, stack.api_key)
    request = {"url_list": [*PAGES, *FAILING], "region_type": "region", "region": REGIONS}
    started = client.start(request, new_idempotency_key())
    show.say(f"POST /prewarm → 200 {json.dumps(started)}")
    first = _follow(client, started, show)
    for line in skipped_lines(first, report_hint(first, "-o report.html", service_stays=True)):
        show.say(line)
    show.say("\nGET /status returns:")
    show.console.print_json(json.dumps({name: first[name] for name in CONTRACT}))

    show.say("\nThe result. The same viewers repeat their requests:", "bold")
    after = _viewer_requests(site, edge, show)

    show.say("\nThe origin is repaired. A retry of the three URLs:", "bold")
    site.repair(edge)
    retry = client.retry(first["requestID"])
    show.say(f"POST /retry → 200 {json.dumps(retry)}")
    second = _follow(client, retry, show)
    checks = {
        "the first run must be FAILED": first["status"] == "FAILED",
        "exactly the three broken URLs must fail": sorted(first["failedUrl"]) == sorted(FAILING),
        "every other URL must be warm": sorted(first["successUrl"]) == sorted(PAGES),
        "retired POPs must be skipped and listed": bool(first["skippedPops"]),
        "before the run, every viewer must get a Miss": all(each.x_cache.startswith("Miss") for each in before),
        "after the run, every viewer must get a Hit": all(each.x_cache.startswith("Hit") for each in after),
        "the retry must be COMPLETED": second["status"] == "COMPLETED",
        "the retry must warm the three URLs": sorted(second["successUrl"]) == sorted(FAILING),
    }
    return [check for check, passed in checks.items() if not passed]


def _follow(client: Client, started: dict[str, Any], show: Show) -> dict[str, Any]:
    """Display a run until it ends, and return its last status."""
    from prewarm_cli.follow import poll_until_end  # noqa: PLC0415
    from prewarm_cli.output.failures import failure_lines  # noqa: PLC0415
    from prewarm_cli.output.live import choose_display  # noqa: PLC0415
    from prewarm_cli.output.progress import progress_line  # noqa: PLC0415

    show.say(f"Its page: {client.page_of(started['requestID'])}")
    with choose_display() as display:
        poll_until_end(client, started["requestID"], display)
    status = client.full_status(started["requestID"])
    show.say(progress_line(status), "green" if status["status"] == "COMPLETED" else "red")
    for line in failure_lines(status):
        show.say(line, "red" if line.startswith("failed") else "")
    return status


def _viewer_requests(site: DemoSite, edge: SimulatedCloudFront, show: Show) -> list[ViewerResponse]:
    """Request one URL as a viewer at each of three POPs, and return the responses."""
    from prewarm_cli.demo.viewer import viewer_get  # noqa: PLC0415

    responses = []
    for pop in site.viewer_pops:
        response = viewer_get(VIEWED_URL, edge.addresses[pop][0], edge.settings())
        timing = f"first byte in {response.ttfb_ms:.0f} ms"
        show.say(f"  through {response.pop:9}  {response.status}  X-Cache: {response.x_cache:22} {timing}")
        responses.append(response)
    return responses
