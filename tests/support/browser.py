"""A browser at the dashboard: what its tests, and the pictures in the documentation, share."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
# Longer than a run of these tests takes on a slow machine.
PATIENCE_MS = 30_000
ENDED = "[data-chip]:not(.in_progress)"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; tests skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("THE DASHBOARD WAS NOT TESTED: no chromium here (Debian: apt-get install chromium)")
    # Root cannot have Chromium's sandbox; all that is opened here is this project's own page.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """Somebody before the dashboard, in a session of their own; `errors` is what the console complained of."""

    def __init__(self, browser: Browser, api: str, key: str, **context: Any) -> None:
        self.api, self.key = api, key
        options: dict[str, Any] = {"viewport": DESKTOP, "locale": "en-GB", "timezone_id": "UTC"} | context
        self.context: BrowserContext = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def take_for_granted(self, status: int) -> None:
        """Take back the console's complaints about answers of one status, of which there must be some."""
        complaint = f"the server responded with a status of {status}"
        others = [error for error in self.errors if complaint not in error]
        assert len(others) < len(self.errors)
        self.errors[:] = others

    def open(self, view: str = "", *, slash: bool = True) -> Page:
        """Open a view with the key at hand."""
        self.page.add_init_script(f"sessionStorage.setItem('prewarm-key', {self.key!r})")
        self.page.goto(f"{self.api}{'/' if slash else ''}{view}")
        return self.page

    def open_run(self, request_id: str) -> Page:
        """Open the page of a run and wait for its first status."""
        page = self.open(f"#/run/{request_id.rpartition(':')[2]}")
        page.wait_for_selector("[data-chip].chip.in_progress, " + ENDED + ".failed, " + ENDED + ".completed")
        return page

    def picture(self, name: str, folder: Path = SCREENSHOTS, *, full_page: bool = False) -> Path:
        """Take a screenshot."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        self.page.screenshot(path=path, full_page=full_page)
        return path

    def close(self) -> None:
        """End the browser session."""
        self.context.close()


# What the fixture `visit` is: it opens a session of a new visitor.
Visit = Callable[..., Visitor]


def sideways(page: Page) -> int:
    """Return how many pixels a page is wider than its window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def as_if(status: dict[str, Any], pages: dict[str, dict[str, Any]] | None = None) -> Callable[[Route], None]:
    """Response as the API does for runs that no test has the time for; `pages` by their token."""

    def response(route: Route) -> None:
        token = re.search(r"nextToken=(\w+)", route.request.url)
        body = (pages or {})[token[1]] if token else status
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    return response
