"""Finds POPs by DNS: which candidate names resolve, asked for at a bounded rate; and writes the catalogue anew."""

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
# No POP has these names: if they resolve, the resolver answers for whatever it is asked.
NONSENSE = ("ZZZ99-X9", "QQQ1-Z1")
KINDS = "CP"
NETWORKS_SOURCE = "https://ip-ranges.amazonaws.com/ip-ranges.json, service CLOUDFRONT, adjacent networks joined"
# A site's first numbers and those in use today; known ids give the others of a location.
SITES = (1, 2, 3, 4, *range(50, 63))


@dataclass
class Found:
    """What DNS said: POP ids whose names resolve, that do not, and that nobody answered for."""

    there: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)


def candidates(known: Catalogue, codes: Sequence[str], highest: int, *, known_only: bool) -> list[str]:
    """Return the POP ids to ask for: the known ones first, then those that each location may have.

    A location may have any site number in use somewhere today or known there, of kind C or P, numbered to `highest`.
    """
    names = [pop for pop in known.pops if not codes or pop[:3] in codes]
    if known_only:
        return names
    places = [place for place in known.locations if (not codes or place in codes)]
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
    """A scan by one distribution's names. `nameservers` empty: the system's; `rate` in questions a second."""

    distribution: str
    nameservers: tuple[Nameserver, ...]
    rate: int
    concurrency: int

    def run(self, names: Sequence[str], step: Callable[[], object]) -> Found:
        """Ask for every name, calling `step` after each.

        Raises:
            ValueError: the distribution is none, or the resolver answers for names that cannot be.

        """
        if not self.distribution.endswith(SUFFIX):
            raise ValueError(f"{self.distribution!r} is no distribution's domain, such as d111abcdef8.cloudfront.net")
        return asyncio.run(self._run(names, step))

    async def _run(self, names: Sequence[str], step: Callable[[], object]) -> Found:
        resolver = dns.asyncresolver.Resolver(configure=not self.nameservers)
        if self.nameservers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(each.address, each.port) for each in self.nameservers
            ]
        resolver.timeout, resolver.lifetime, resolver.cache = 1.0, 5.0, None
        prefix = self.distribution.partition(".")[0]
        turn, found = asyncio.Semaphore(self.concurrency), Found()
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def ask(number: int, pop: str) -> None:
            # Each question has its own moment, so that the rate holds however fast the answers come.
            await asyncio.sleep(max(0.0, began + number / self.rate - loop.time()))
            async with turn:
                found_in = await self._there(resolver, f"{prefix}.{pop}{SUFFIX}.")
            (found.silent if found_in is None else found.there if found_in else found.gone).add(pop)
            step()

        try:
            await resolver.resolve(self.distribution + ".", "A")
        except dns.exception.DNSException as error:
            raise ValueError(f"{self.distribution} does not resolve ({type(error).__name__})") from error
        for nonsense in NONSENSE:
            if await self._there(resolver, f"{prefix}.{nonsense}{SUFFIX}."):
                raise ValueError(f"the nameserver answers for {nonsense}, which is no POP: its answers say nothing")
        await asyncio.gather(*(ask(number, pop) for number, pop in enumerate(names)))
        return found

    async def _there(self, resolver: dns.asyncresolver.Resolver, name: str) -> bool | None:
        """Say whether a name has addresses; None where nobody answers."""
        try:
            return (await resolver.resolve(name, "A", raise_on_no_answer=False)).rrset is not None
        except dns.resolver.NXDOMAIN:
            return False
        except (dns.exception.Timeout, dns.resolver.NoNameservers):
            return None


def write_catalogue(output: Path, known: Catalogue, found: Found) -> tuple[list[str], list[str]]:
    """Write pops.csv anew; returns the ids that appeared, and the known ones whose names no longer resolve.

    Ids that vanished stay in the file: a run that probes them skips them, and they may come back. What resolves is
    dated; what was not asked or not answered for stays as it was.
    """
    today = dt.datetime.now(dt.UTC).date().isoformat()[:7]
    rows = {row["pop_id"]: row for row in csv.DictReader(data_text("pops.csv").splitlines())}
    appeared = sorted(found.there - rows.keys())
    for pop in sorted(found.there):
        place = known.locations[pop[:3]]
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
    return appeared, sorted(found.gone & known.pops.keys())


def write_networks(output: Path, document: Any) -> int:  # noqa: ANN401 - JSON is what it is
    """Write CloudFront's networks out of AWS's ip-ranges.json; returns how many.

    Raises:
        ValueError: the document is no such list, or names no network of CloudFront.

    """
    try:
        date = str(document["createDate"])
        ipv4 = [each["ip_prefix"] for each in document["prefixes"] if each["service"] == "CLOUDFRONT"]
        ipv6 = [each["ipv6_prefix"] for each in document["ipv6_prefixes"] if each["service"] == "CLOUDFRONT"]
    except (KeyError, TypeError) as error:
        raise ValueError("is no list such as AWS's ip-ranges.json") from error
    if not ipv4:
        raise ValueError("names no network of CloudFront")
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
    """Write a file whole or not at all."""
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(output.name + ".new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        fill(file)
    beside.replace(output)
