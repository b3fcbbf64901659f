"""Find the POP names that resolve, at a bounded query rate, and write the catalogue and CloudFront's networks."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import ipaddress
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from prewarm.catalogue import data_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from prewarm.catalogue import Catalogue
    from prewarm.settings import Nameserver

SUFFIX = ".cloudfront.net"
# No POP has these names: if they resolve, the resolver returns addresses for every name.
NONSENSE = ("ZZZ99-X9", "QQQ1-Z1")
KINDS = "CP"
NETWORKS_SOURCE = "https://ip-ranges.amazonaws.com/ip-ranges.json, service CLOUDFRONT, adjacent networks joined"
# The first site numbers and those in use today; the catalogue's ids add the others of a location.
SITES = (1, 2, 3, 4, *range(50, 63))


@dataclass
class ScanResult:
    """POP ids by DNS result: the name resolves, does not exist, or no nameserver responded."""

    present: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)


def candidates(atlas: Catalogue, codes: Sequence[str], highest: int, *, known_only: bool) -> list[str]:
    """Return the POP ids to query: those of the catalogue first, then those that each location may have.

    A location may have any site number in use somewhere today or in its own ids, of kind C or P, numbered to
    `highest`.
    """
    names = [pop for pop in atlas.pops if not codes or pop[:3] in codes]
    if known_only:
        return names
    places = [place for place in atlas.locations if not codes or place in codes]
    sites = {place: set(SITES) for place in places}
    for pop in names:
        sites.setdefault(pop[:3], set(SITES)).add(int(pop[3:].partition("-")[0]))
    guessed = (
        f"{place}{site}-{kind}{number}"
        for place in places
        for site in sorted(sites[place])
        for kind in KINDS
        for number in range(1, highest + 1)
    )
    return list(dict.fromkeys([*names, *guessed]))


@dataclass
class Scan:
    """A scan by one distribution's names; empty `nameservers` means the system's, `rate` is queries per second."""

    distribution: str
    nameservers: tuple[Nameserver, ...]
    rate: int
    concurrency: int

    def run(self, names: Sequence[str], step: Callable[[], object]) -> ScanResult:
        """Query every name and call `step` after each.

        Raises:
            ValueError: not a distribution's domain, it does not resolve, or the resolver returns addresses for names
                that do not exist.

        """
        if not self.distribution.endswith(SUFFIX):
            raise ValueError(
                f"{self.distribution!r} is not a distribution's domain such as d111abcdef8.cloudfront.net"
            )
        return asyncio.run(self._run(names, step))

    async def _run(self, names: Sequence[str], step: Callable[[], object]) -> ScanResult:
        resolver = dns.asyncresolver.Resolver(configure=not self.nameservers)
        if self.nameservers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(each.address, each.port) for each in self.nameservers
            ]
        resolver.timeout, resolver.lifetime, resolver.cache = 1.0, 5.0, None
        prefix = self.distribution.partition(".")[0]
        slots, result = asyncio.Semaphore(self.concurrency), ScanResult()
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def query(number: int, pop: str) -> None:
            # Each query has its own start time, so that the rate holds however fast the responses arrive.
            await asyncio.sleep(max(0.0, began + number / self.rate - loop.time()))
            async with slots:
                exists = await self._exists(resolver, f"{prefix}.{pop}{SUFFIX}.")
            (result.unanswered if exists is None else result.present if exists else result.absent).add(pop)
            step()

        try:
            await resolver.resolve(self.distribution + ".", "A")
        except dns.exception.DNSException as error:
            raise ValueError(f"{self.distribution} does not resolve ({type(error).__name__})") from error
        for nonsense in NONSENSE:
            if await self._exists(resolver, f"{prefix}.{nonsense}{SUFFIX}."):
                raise ValueError(
                    f"the nameserver returns addresses for {nonsense}, which is not a POP; use another nameserver"
                )
        await asyncio.gather(*(query(number, pop) for number, pop in enumerate(names)))
        return result

    async def _exists(self, resolver: dns.asyncresolver.Resolver, name: str) -> bool | None:
        """Return whether a name has addresses; None if no nameserver responds."""
        try:
            return (await resolver.resolve(name, "A", raise_on_no_answer=False)).rrset is not None
        except dns.resolver.NXDOMAIN:
            return False
        except (dns.exception.Timeout, dns.resolver.NoNameservers):
            return None


def write_catalogue(output: Path, atlas: Catalogue, result: ScanResult) -> tuple[list[str], list[str]]:
    """Write pops.csv; return the ids that appeared, and those of the catalogue whose names no longer resolve.

    Ids that vanished stay in the file: a run probes and skips them, and they may come back. Ids that resolve get this
    month's date; ids that were not queried, or not answered, stay unchanged.
    """
    today = dt.datetime.now(dt.UTC).date().isoformat()[:7]
    rows = {row["pop_id"]: row for row in csv.DictReader(data_text("pops.csv").splitlines())}
    appeared = sorted(result.present - rows.keys())
    for pop in sorted(result.present):
        place = atlas.locations[pop[:3]]
        row = rows.setdefault(
            pop,
            {
                "pop_id": pop,
                "airport_code": pop[:3],
                "city": place.city,
                "country": place.country,
                "evidence": "",
                "n_sources": "0",
                "newest_seen": today,
                "confidence": "high",
            },
        )
        evidence = [kind for kind in row["evidence"].split("+") if kind]
        if "dns" not in evidence:
            row["n_sources"] = str(int(row["n_sources"]) + 1)
            row["evidence"] = "+".join([*evidence, "dns"])
        row["newest_seen"], row["confidence"] = today, "high"
    first = next(iter(rows.values()))
    _write(output, lambda file: _csv_rows(file, list(first), [rows[pop] for pop in sorted(rows)]))
    return appeared, sorted(result.absent & atlas.pops.keys())


def write_networks(output: Path, document: Any) -> int:  # noqa: ANN401 - parsed JSON
    """Write the CloudFront networks of AWS's ip-ranges.json; return their number.

    Raises:
        ValueError: the document has another form, or lists no CloudFront network.

    """
    try:
        date = str(document["createDate"])
        ipv4 = [each["ip_prefix"] for each in document["prefixes"] if each["service"] == "CLOUDFRONT"]
        ipv6 = [each["ipv6_prefix"] for each in document["ipv6_prefixes"] if each["service"] == "CLOUDFRONT"]
    except (KeyError, TypeError) as error:
        raise ValueError("not in the form of AWS's ip-ranges.json") from error
    if not ipv4:
        raise ValueError("lists no CloudFront network")
    v4 = [str(network) for network in ipaddress.collapse_addresses(map(ipaddress.IPv4Network, ipv4))]
    v6 = [str(network) for network in ipaddress.collapse_addresses(map(ipaddress.IPv6Network, ipv6))]
    listed = {"source": NETWORKS_SOURCE, "createDate": date, "ipv4": v4, "ipv6": v6}
    _write(output, lambda file: file.write(json.dumps(listed, indent=1) + "\n"))
    return len(v4) + len(v6)


def _csv_rows(file: Any, names: list[str], rows: list[dict[str, str]]) -> None:  # noqa: ANN401 - a text file
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _write(output: Path, fill: Callable[[Any], object]) -> None:
    """Write a file atomically."""
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(output.name + ".new")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        fill(file)
    temporary.replace(output)
