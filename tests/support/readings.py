"""Documents at the simulated origin that are read again after an invalidation."""

import base64
from typing import Any

from moto.cloudfront.models import cloudfront_backends

import resolve.handler
import resolve.invalidate_handler
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST
from tests.support.handlers import ACCOUNT, SYDNEY, Context, Machine, document
from tests.support.source_documents import sitemap

PLACE = {"region_type": "pop", "region": SYDNEY[:1]}
OLD, NEW = f"https://{HOST}/1.txt", f"https://{HOST}/2.txt"
_count = iter(range(10_000))


class Site:
    """Documents on the simulated origin, below a new folder."""

    def __init__(self, edge: SimulatedCloudFront, machine: Machine) -> None:
        self.edge, self.machine = edge, machine
        self.folder = f"/readings/{next(_count)}"

    def url(self, name: str, host: str = HOST) -> str:
        return f"https://{host}{self.folder}/{name}"

    def put(self, name: str, body: bytes = b"", **options: Any) -> None:
        stored = {"document": base64.b64encode(body).decode()} | options
        self.edge.put_object(f"{self.folder}/{name}", stored)

    def put_list(self, name: str, *urls: str, index: bool = False) -> None:
        kind = {"root": "sitemapindex", "item": "sitemap"} if index else {}
        self.put(name, sitemap(*((url, "") for url in urls), **kind))

    def cached(self, **request: Any) -> None:
        """Read the sources once, so that the caches have today's copies."""
        self.machine.resolve(PLACE | request | {"dry_run": True})

    def read(self, run: str, **request: Any) -> tuple[dict[str, Any], list[list[str]]]:
        """Execute the states up to the plan; returns the last output, and the paths that each reading invalidated."""
        number = 0
        passes: list[list[str]] = []
        while True:
            event = {"run": run, "input": PLACE | request, "reading": number}
            output = resolve.handler.handler(event, Context())
            progress = output.get("invalidation", {"reading": 0})
            if not progress["reading"]:
                return output, passes
            assert progress["reading"] == number + 1
            paths: list[str] = []
            while progress["status"] in {"next", "waiting"}:
                progress = self.step(run, progress, paths)
            assert progress["status"] == "read_again"
            number = progress["reading"]
            passes.append([path.removeprefix(f"{self.folder}/") for path in paths])

    def step(self, run: str, progress: dict[str, Any], paths: list[str]) -> dict[str, Any]:
        event = {"run": run, "invalidation": progress}
        after: dict[str, Any] = resolve.invalidate_handler.handler(event, Context(900.0))
        for created in after["created"]:
            listed = cloudfront_backends[ACCOUNT]["aws"].invalidations[created["distributionId"]]
            made = next(each for each in listed if each.id == created["invalidationId"])
            if made.status != "Completed":
                made.status = "Completed"
                paths += made.paths
                self.edge.purge(made.paths)
        return after


def urls(run: str) -> list[str]:
    listed: list[str] = document(run, "plan/urls.json.gz")
    return listed


def plan(run: str) -> dict[str, Any]:
    stored: dict[str, Any] = document(run, "plan/plan.json")
    return stored
