"""A run through the whole service on this machine: seconds, and peak memory of each process.

The embedded stack (moto, workers, API) in front of nginx as 64 POPs; CPU and memory are shared with all of them.

    .venv/bin/python -m bench.workflow                  # a million targets: 15,625 URLs x 64 POPs, some minutes
    .venv/bin/python -m bench.workflow --urls 500       # a look whether it runs
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import requests

from bench.edges import HOST, POPS
from bench.nginx_stack import stack_with_nginx
from bench.page import markdown
from bench.section import Section
from prewarm.catalogue import catalogue
from prewarm_local.stack.stack import EmbeddedStack


def peaks() -> dict[str, float]:
    """Return the peak memory in MB of this process and of each kind of its descendants, the largest of a kind."""
    found: dict[str, float] = {"stack (moto, API, this script)": _peak(os.getpid())}
    left = [os.getpid()]
    while left:
        task = Path(f"/proc/{left.pop()}/task")
        for children in task.glob("*/children"):
            for child in map(int, children.read_text().split()):
                left.append(child)
                words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
                kind = next((word for word in words if word.endswith(".handler")), Path(words[0]).name)
                found[kind] = max(found.get(kind, 0.0), _peak(child))
    return found


def _peak(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def main() -> None:
    """Run it and print the result."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--urls", type=int, default=15_625)
    print(markdown(measured_with(options.parse_args().urls)))


def measure(*, quick: bool = False) -> Section:
    """Measure a run of 320,000 targets, or of 320; `make load` makes one of a million."""
    return measured_with(5 if quick else 5_000)


def measured_with(urls: int) -> Section:
    """Start everything and run so many URLs through 64 POPs."""
    pops = list(catalogue().pops)[:POPS]
    with stack_with_nginx(pops) as stack:
        return run(stack, pops, urls)


def run(stack: EmbeddedStack, pops: list[str], urls: int) -> Section:
    """Start a run of so many URLs, wait for its end, and return seconds and memory."""
    listed = "\n".join(f"https://{HOST}/1k/asset-{number:06}.js" for number in range(urls))
    stack.client("s3").put_object(Bucket=stack.bucket, Key="lists/bench.txt", Body=listed.encode())
    request: dict[str, Any] = {
        "url_list_s3": f"s3://{stack.bucket}/lists/bench.txt",
        "region_type": "pop",
        "region": pops,
        "max_concurrency": 2,
    }
    headers = {"x-api-key": stack.api_key}
    began = time.monotonic()
    response = requests.post(f"{stack.api}/prewarm", json=request, headers=headers, timeout=60)
    response.raise_for_status()
    asked: list[float] = []
    status: dict[str, Any] = {}
    while status.get("status", "IN_PROGRESS") == "IN_PROGRESS":
        time.sleep(2)
        then = time.monotonic()
        query = {"requestID": response.json()["requestID"], "limit": "100"}
        status = requests.get(f"{stack.api}/status", params=query, headers=headers, timeout=60).json()
        asked.append(time.monotonic() - then)
    seconds = time.monotonic() - began
    targets = status["targets"]
    outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(targets["outcomes"].items()))
    memory = {kind: round(megabytes) for kind, megabytes in peaks().items()}
    rows = (
        ("status", f"{status['status']}: {outcomes}"),
        ("seconds", f"{seconds:.0f}"),
        ("targets a second", f"{targets['done'] / seconds:,.0f}"),
        ("`GET /status` while it ran", f"median {sorted(asked)[len(asked) // 2]:.2f} s, slowest {max(asked):.2f} s"),
        *((f"peak memory, {kind}", f"{megabytes:,} MB") for kind, megabytes in memory.items()),
    )
    notes = (
        f"{targets['done']:,} targets: {urls:,} URLs through {len(pops)} POPs.",
        "Stack, nginx as 64 POPs and all else share the cores, and moto takes a large part of them.",
    )
    raw = {"seconds": seconds, "status_seconds": asked, "outcomes": targets["outcomes"], "peak_mb": memory}
    return Section("A whole run in front of nginx", ("what", "figure"), rows, notes, raw=raw)


if __name__ == "__main__":
    main()
