"""Viewers of a simulated CloudFront: skewed demand for a site's URLs at its POPs, drawn from a seed, and played.

Popularity falls with the rank, by a power: of URLs faster than of POPs, as access logs of sites show it.
"""

from __future__ import annotations

import gzip
import random
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pycurl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from prewarm_local.edge.process import SimulatedCloudFront

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) 100% viewer"
ENCODINGS = "gzip, deflate, br, zstd"
OWN_AGENT = "CloudFront-Prewarm/"
# Requests in flight at one POP, as a busy one has them.
STREAMS = 4
Asked = tuple[str, str]


@dataclass(frozen=True)
class Demand:
    """What viewers ask for: paths and POPs, the most popular first; the weight of rank n is n to the power -skew."""

    paths: tuple[str, ...]
    pops: tuple[str, ...]
    path_skew: float = 1.65
    pop_skew: float = 1.4

    def day(self, requests: int, seed: int) -> list[Asked]:
        """Return so many requests, each a path with its POP."""
        chance = random.Random(seed)
        paths = chance.choices(self.paths, _weights(len(self.paths), self.path_skew), k=requests)
        pops = chance.choices(self.pops, _weights(len(self.pops), self.pop_skew), k=requests)
        return list(zip(paths, pops, strict=True))

    def renewed(self, every: int) -> Demand:
        """Return the demand after a release: of each `every` paths the middle one is new, and as popular."""
        return replace(
            self,
            paths=tuple(
                f"{path}.new" if rank % every == every // 2 else path for rank, path in enumerate(self.paths)
            ),
        )


def site(paths: int, pops: Sequence[str], seed: int = 18) -> Demand:
    """Return the demand for a site of so many URLs, some with queries and characters that logs encode."""
    listed = list(pops)
    random.Random(seed).shuffle(listed)
    forms = ("/shop/page-{}.html", "/shop/object%20{}~a.js", "/shop/list?page={}&sort=a%2Fb", "/shop/image-{}.avif")
    return Demand(tuple(forms[number % len(forms)].format(number) for number in range(paths)), tuple(listed))


def _weights(count: int, skew: float) -> list[float]:
    return [(rank + 1) ** -skew for rank in range(count)]


def play(edge: SimulatedCloudFront, host: str, requests: Iterable[Asked]) -> Counter[str]:
    """Send requests as browsers at these POPs do, in order at each POP; return their number by X-Cache.

    Raises:
        ValueError: a response is not whole, has another status than 200, or comes from another POP.

    """
    queues: dict[str, deque[str]] = defaultdict(deque)
    for path, pop in requests:
        queues[pop].append(path)
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
    found: Counter[str] = Counter()
    flying = 0
    for pop, queue in queues.items():
        for _ in range(min(STREAMS, len(queue))):
            viewer = _Viewer(edge, host, pop)
            viewer.ask(queue.popleft())
            multi.add_handle(viewer.curl)
            flying += 1
    while flying:
        multi.perform()
        more = 1
        while more:
            more, well, badly = multi.info_read()
            for curl, *_ in badly:
                raise ValueError(f"{curl.viewer.path} at {curl.viewer.pop}: {curl.errstr()}")
            for curl in well:
                multi.remove_handle(curl)
                viewer = curl.viewer
                found[viewer.result()] += 1
                if queues[viewer.pop]:
                    viewer.ask(queues[viewer.pop].popleft())
                    multi.add_handle(curl)
                else:
                    flying -= 1
        due = multi.timeout()
        multi.select(1.0 if due < 0 else min(1.0, due / 1000))
    multi.close()
    return found


class _Viewer:
    """One viewer at a POP, with one request at a time."""

    def __init__(self, edge: SimulatedCloudFront, host: str, pop: str) -> None:
        self.pop, self.path = pop, ""
        self._lines: list[bytes] = []
        self.curl: Any = pycurl.Curl()
        self.curl.viewer = self
        for option, value in (
            (pycurl.URL, f"https://{host}/"),
            (pycurl.CONNECT_TO, [f"::{edge.addresses[pop][0]}:{edge.ready['https_port']}"]),
            (pycurl.CAINFO, edge.ready["ca_bundle"]),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.PIPEWAIT, 1),
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROXY, ""),
            (pycurl.TIMEOUT, 30),
            (pycurl.HTTPHEADER, [f"Accept-Encoding: {ENCODINGS}", f"User-Agent: {AGENT}"]),
            (pycurl.HEADERFUNCTION, self._lines.append),
            (pycurl.WRITEFUNCTION, len),
        ):
            self.curl.setopt(option, value)

    def ask(self, path: str) -> None:
        self.path = path
        self._lines.clear()
        # In the URL, libcurl would change %xx to upper case.
        self.curl.setopt(pycurl.REQUEST_TARGET, path)

    def result(self) -> str:
        """Return X-Cache without its end."""
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in self._lines)}
        status, pop = self.curl.getinfo(pycurl.RESPONSE_CODE), headers.get(b"x-amz-cf-pop", b"").decode()
        if (status, pop) != (200, self.pop):
            raise ValueError(f"{self.path} at {self.pop}: {status} from {pop or 'nobody'}")
        return headers[b"x-cache"].decode().removesuffix(" from cloudfront")


@dataclass(frozen=True)
class Logged:
    """What access logs say of viewers and of the service: requests by x-edge-result-type, the service's by method."""

    viewers: Counter[str]
    own: Counter[str]

    @property
    def fetches(self) -> int:
        """Return how many objects the service has fetched."""
        return self.own["GET"]

    @property
    def hit_share(self) -> float:
        """Return the part of the viewers' requests that were hits, of the POP or of its regional edge cache."""
        return self.viewers["Hit"] / max(1, self.viewers.total())


def read_logs(files: Iterable[Path]) -> Logged:
    """Count standard logs line by line, without the code of the product."""
    viewers: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for path in files:
        names: list[str] = []
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            if line.startswith("#"):
                names = line.removeprefix("#Fields: ").split(" ")
                continue
            values = dict(zip(names, line.split("\t"), strict=True))
            if values["cs(User-Agent)"].startswith(OWN_AGENT):
                own[values["cs-method"]] += 1
            else:
                viewers[values["x-edge-result-type"]] += 1
    return Logged(viewers, own)
