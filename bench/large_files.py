"""Peak memory of a worker's fetches of large files: bodies are discarded as they come, so their size costs none.

    .venv/bin/python -m bench.large_files

nginx serves sparse files as POPs over TLS. Two objects of 4 GiB are fetched whole; of a hundred of 1 GiB, all fetched
at the same time, as much as comes within 20 seconds. Memory is the peak of the process, the warm function's imports
included.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

from pycurl import SIZE_DOWNLOAD_T

from bench.edges import HOST, Edges, edges
from bench.page import markdown
from bench.processes import megabytes
from bench.section import Section, Target
from prewarm.fetcher.curl import CurlPool, Handle
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.response import Response
from prewarm.settings import Settings

GIB = 1 << 30
CASES = ((2, 4 * GIB, 600.0), (100, GIB, 20.0))


@dataclass(frozen=True)
class Large:
    """The fetches of one process: whole objects, bytes of all, seconds, and peak memory in MB."""

    whole: int
    received: int
    seconds: float
    peak_mb: float


def measured() -> None:
    """In the measured process: fetch all objects at the same time, each through a POP of its own or its turn's."""
    given = json.load(sys.stdin)
    settings = {"PREWARM_CA_BUNDLE": given["ca"], "PREWARM_HTTPS_PORT": str(given["port"])}
    os.environ |= settings | {"PREWARM_BUCKET": "bench", "PREWARM_TABLE": "bench", "POWERTOOLS_LOG_LEVEL": "ERROR"}
    import warm.handler  # noqa: F401, PLC0415 - its memory belongs to the worker's

    queues = [PopQueue([address]) for address in given["addresses"]]
    url = f"https://{HOST}/{given['size']}"
    fetches = [Fetch(f"{url}?{number}", [], queues[number % len(queues)]) for number in range(given["objects"])]
    whole: list[int] = []

    def collect(_fetch: Fetch, response: Response) -> None:
        if not response.error and response.bytes == given["size"]:
            whole.append(response.bytes)

    received = 0
    release = CurlPool.release

    def counted(pool: CurlPool, handle: Handle) -> None:
        nonlocal received
        received += int(handle.getinfo(SIZE_DOWNLOAD_T))
        release(pool, handle)

    began = time.monotonic()
    with mock.patch.object(CurlPool, "release", counted):
        Fetcher(Settings.from_environment()).run(
            fetches, collect, should_stop=lambda: time.monotonic() - began >= given["seconds"]
        )
    seconds = time.monotonic() - began
    # Not ru_maxrss, which begins with that of the process that started this one.
    peak = megabytes(os.getpid(), "VmHWM")
    sys.stdout.write(json.dumps(asdict(Large(len(whole), received, seconds, peak))))


def fetch(ready: Edges, objects: int, size: int, seconds: float) -> Large:
    """Fetch so many objects of `size` bytes at once in a process of its own, for at most so many seconds."""
    file = Path(ready.one_root).parent / "files" / str(size)
    with file.open("wb") as sparse:
        sparse.truncate(size)
    given = {"objects": objects, "size": size, "seconds": seconds, "ca": ready.one_root, "port": ready.port}
    done = subprocess.run(
        [sys.executable, "-m", "bench.large_files", "--measured"],
        input=json.dumps(given | {"addresses": list(ready.addresses.values())}),
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    return Large(**json.loads(done.stdout.splitlines()[-1]))


def measure(*, quick: bool = False) -> Section:
    """Measure each case."""
    cases = ((2, GIB >> 6, 20.0),) if quick else CASES
    rows, peaks = [], []
    with edges(None) as ready:
        for objects, size, seconds in cases:
            found = fetch(ready, objects, size, seconds)
            peaks.append(found.peak_mb)
            rows.append(
                (f"{objects} of {size / GIB:.3g} GiB", f"{found.whole}", f"{found.received / GIB:.1f}",
                 f"{found.seconds:.0f}", f"{found.peak_mb:.0f}")
            )  # fmt: skip
    notes = ("All objects of a row are fetched at once. Bodies are discarded as they come.",)
    targets = (Target("peak memory with large files", max(peaks), 128.0, " MB"),)
    return Section(
        "Large files", ("objects", "whole", "GiB received", "seconds", "peak MB"), tuple(rows), notes, targets
    )


def main() -> None:
    """Print the figures."""
    if "--measured" in sys.argv:
        measured()
        return
    print(markdown(measure()))


if __name__ == "__main__":
    main()
