"""Take the screenshots of the documentation: `make pictures`.

They show a run through every POP of the catalogue, on the embedded stack and a simulated CloudFront: on a desktop
while the run is in progress, and on a phone in dark mode after its end; then a run of which two URLs failed, and the
page with form and list.
"""

import math
import re
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.browser import PHONE, Visitor, chromium
from tests.support.service import DOMAIN, HOST, ROOT, Service, serve
from tests.support.terminal import terminal
from tests.support.terminal_picture import COLUMNS, LINES, draw, screen_of

FOLDER = ROOT / "docs" / "images"
MAX_BYTES = 200_000
# The best screenshot of a run has many targets done and some left in each state.
DONE_AT_LEAST = 8
GONE = 9  # every ninth POP of the catalogue is missing, as if retired
NAMES = ("index", "sale", "cart", "search", "help", "terms", "about", "stores", "press", "careers", "news", "gifts")
PAGES = [f"https://{HOST}/{name}.html" for name in NAMES] + [
    f"https://{HOST}/img/product-{number}.webp" for number in range(12)
]
DESKTOP = {"width": 1280, "height": 1010}
DONE_OF_A_COMMAND = 55


def config() -> dict[str, Any]:
    """Return a CloudFront with nearly every POP of the catalogue."""
    pops = [pop for number, pop in enumerate(catalogue().pops) if number % GONE]
    return {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in pops},
        "objects": {url.removeprefix(f"https://{HOST}"): {"size": 24_000, "ttfb_ms": 40} for url in PAGES},
        "error_ttl": 1,
    }


def take_answers(service: Service, browser: Browser) -> list[Path]:
    """Take the screenshots of a failed run and of the first page; return their paths."""
    gone = [f"https://{HOST}/{name}" for name in ("gone.html", "moved/old.html")]
    request = {"url_list": [*PAGES, *gone], "region_type": "region", "region": ["apac"], "label": "shop main 1a2b3c4"}
    request_id = service.start(request)
    service.statuses(request_id)
    visitor = Visitor(browser, service.ready["api"], service.ready["apiKey"], viewport=DESKTOP)
    page = visitor.open_run(request_id)
    page.wait_for_selector("g[data-city]")
    page.wait_for_timeout(1_000)
    taken = [visitor.picture("dashboard-failed", FOLDER)]
    page = visitor.open()
    page.wait_for_selector("[data-runs] li")
    page.get_by_text("Loading the locations.").wait_for(state="hidden")
    page.get_by_label("When was this URL last warm?").fill(PAGES[0])
    page.get_by_role("button", name="Look up").click()
    page.wait_for_selector("[data-lookup-result]:visible")
    taken.append(visitor.picture("dashboard-home", FOLDER))
    visitor.close()
    return taken


def take_command(service: Service) -> None:
    """Take the screenshot of the command: half of the run done, one URL failed."""
    urls = [f"https://{HOST}/gone.html", *PAGES]
    arguments = ["start", *urls, "--region", "apac,eu", "--max-rps", "400", "--verify", "none", "--wait"]
    shown = f"prewarm start https://{HOST}/index.html … --region apac,eu --wait"
    with terminal(service, *arguments, COLUMNS=str(COLUMNS), LINES=str(LINES), FORCE_COLOR="1") as running:
        running.until(shows_the_run)
        assert shows_the_run(running.shown), "the run ended before a screenshot could be taken"
        draw(running, shown, FOLDER / "command.svg")
        running.end()


def shows_the_run(shown: str) -> bool:
    """Return whether a terminal shows what is not warm, next to bars of which more than half is done."""
    return "not warm" in screen_text(shown) and done_percent(shown) > DONE_OF_A_COMMAND


def screen_text(shown: str) -> str:
    """Return the text of a terminal screen."""
    return "\n".join(screen_of(shown).display)


def done_percent(shown: str) -> float:
    """Return the percentage that the progress bar of targets shows."""
    found = re.search(r"targets.*?(\d+)/(\d+)", screen_text(shown))
    return 100 * int(found[1]) / max(1, int(found[2])) if found else 0.0


def main() -> int:
    """Take both screenshots; return the number of files that are too large."""
    with SimulatedCloudFront(config()) as edge, chromium() as browser:
        settings = edge.settings() | {"PREWARM_ERROR_CACHE_SECONDS": "1"}
        service = serve(settings, "--distribution", f"{DOMAIN}={HOST}")
        try:
            request = {
                "url_list": PAGES,
                "region_type": "region",
                "region": "all",
                "staged": True,
                "max_concurrency": 2,
            }
            request_id = service.start(request)
            desktop = Visitor(browser, service.ready["api"], service.ready["apiKey"], viewport=DESKTOP)
            page = desktop.open_run(request_id)
            best, picture = 0, None
            while page.locator("[data-chip].in_progress").count():
                done = int(page.locator("[data-meter]").get_attribute("aria-valuenow") or 0)
                counts = [int(text.split()[0]) for text in page.locator("[data-legend] b").all_inner_texts()]
                mixed = math.prod(1 + count for count in counts)
                if done >= DONE_AT_LEAST and mixed > best:
                    best, picture = mixed, desktop.picture("dashboard-run", FOLDER)
                page.wait_for_timeout(200)
            assert picture is not None, "the run ended before a screenshot could be taken"
            service.statuses(request_id)
            taken = [picture]
            phone = Visitor(
                browser, service.ready["api"], service.ready["apiKey"], viewport=PHONE | {"height": 780},
                color_scheme="dark", device_scale_factor=1.5, is_mobile=True, has_touch=True,
            )  # fmt: skip
            page = phone.open_run(request_id)
            page.wait_for_selector("g[data-city]")
            page.evaluate("document.querySelector('[data-map-hint]').scrollIntoView({ block: 'end' })")
            page.wait_for_timeout(1_000)
            taken.append(phone.picture("dashboard-phone", FOLDER))
            for visitor in (desktop, phone):
                visitor.close()
            taken += take_answers(service, browser)
            take_command(service)
        finally:
            service.process.terminate()
            service.process.communicate(timeout=20)
    sizes = {path: path.stat().st_size for path in taken}
    for path, size in sizes.items():
        sys.stdout.write(f"{path.relative_to(ROOT)}: {size:,} bytes\n")
    return sum(size > MAX_BYTES for size in sizes.values())


if __name__ == "__main__":
    sys.exit(main())
