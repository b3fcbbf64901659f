"""A browser on the dashboard, shared by its tests and the screenshots of the documentation."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.support.service import HOST

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
# The headless shell has no user interface of its own, and takes a third of the CPU.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
# Longer than any run of these tests takes on a slow machine.
TIMEOUT_MS = 30_000
# Playwright waits 5 s by default; a function that starts on a busy machine may take longer.
expect.set_options(timeout=TIMEOUT_MS)
FORM_URL = f"https://{HOST}/page/0.html"
ENDED = "[data-chip]:not(.in_progress)"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; tests skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("THE DASHBOARD WAS NOT TESTED: install Debian's chromium-headless-shell")
    # Chromium's sandbox does not work as root; the tests open only this project's pages.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """A user of the dashboard in a separate browser session; `errors` are the console's errors and warnings."""

    def __init__(self, browser: Browser, api: str, key: str, **context: Any) -> None:
        self.api, self.key = api, key
        options: dict[str, Any] = {"viewport": DESKTOP, "locale": "en-GB", "timezone_id": "UTC"} | context
        self.context: BrowserContext = browser.new_context(**options)
        self.context.set_default_timeout(TIMEOUT_MS)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def expect_status(self, status: int) -> None:
        """Remove the console's errors about responses with a status, of which there must be at least one."""
        text = f"the server responded with a status of {status}"
        others = [error for error in self.errors if text not in error]
        assert len(others) < len(self.errors)
        self.errors[:] = others

    def open(self, view: str = "", *, slash: bool = True) -> Page:
        """Open a view with the API key already stored."""
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


# The fixture `visit`: opens a session for a new visitor.
Visit = Callable[..., Visitor]


def horizontal_overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def respond_with(status: dict[str, Any], pages: dict[str, dict[str, Any]] | None = None) -> Callable[[Route], None]:
    """Return a route handler that responds with a status; `pages` are the further pages by token."""

    def response(route: Route) -> None:
        token = re.search(r"nextToken=(\w+)", route.request.url)
        body = (pages or {})[token[1]] if token else status
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    return response


def respond_by_run(statuses: dict[str, dict[str, Any]]) -> Callable[[Route], None]:
    """Return a route handler that responds with the status of the run in the query."""

    def response(route: Route) -> None:
        run = re.search(r"requestID=([\w-]+)", route.request.url)
        assert run is not None
        route.fulfill(status=200, content_type="application/json", body=json.dumps(statuses[run[1]]))

    return response


def fields_with_problems(page: Page) -> dict[str, str]:
    """Return the text of each field's error by the field's name, without the fields that have none."""
    errors: dict[str, str] = page.eval_on_selector_all(
        "[data-start-card] [data-field]",
        """all => Object.fromEntries(all.map(each => [each.dataset.field,
          [...each.querySelectorAll("[data-error]")].at(-1).textContent]).filter(([, text]) => text))""",
    )
    return errors


def fill_for_singapore(page: Page) -> None:
    """Fill the form with one URL for Singapore."""
    page.get_by_label("URLs, one per line").fill(FORM_URL)
    page.get_by_role("radio", name="Countries").check()
    page.get_by_role("checkbox", name=re.compile("Singapore")).check()
