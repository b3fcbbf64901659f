"""The checks of GET /diagnose that concern the edge: POP names, client subnets, and a POP of each continent."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from prewarm.catalogue import Catalogue, Pop, catalogue, client_subnets
from prewarm.diagnosis import Check, Row, Texts
from prewarm.fetcher.fetcher import Fetcher
from prewarm.planning.plan import Skipped
from prewarm.request.pop_selection import expand
from prewarm.results.skipped_pops import skip_text
from prewarm.settings import Settings
from prewarm.storage.knowledge_store import KnowledgeStore
from resolve.distributions.model import Distribution
from resolve.distributions.price_class import outside_price_class
from resolve.dns_lookup import addresses_of, in_networks, pop_name
from resolve.network_refresh import with_networks
from resolve.pops.locate import usable_addresses
from resolve.pops.pop_probe import PopProbe, run_probes
from resolve.stages import PROBE_PATH
from resolve.subnet_lookup import addresses_for_subnets

# The request's regions that make up each continent, and those that it does not include.
CONTINENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "North America": (("us", "ca", "mx"), ()),
    "Europe": (("eu",), ()),
    "Asia": (("apac", "me"), ("au",)),
    "South America": (("sa",), ("af",)),
    "Oceania": (("au",), ()),
    "Africa": (("af",), ()),
}
# POPs of each continent that are tried: the catalogue has retired ones.
TRIED = 5
# Addresses of each POP, and seconds for each of them, so that a closed port 443 is found within the caller's time.
ADDRESSES, CONNECT_MS, STALL_SECONDS = 1, 3_000, 5
# Locations far from each other, whose viewers CloudFront sends to different POPs.
SUBNETS_OF = ("FRA", "NRT", "IAD", "GRU", "SYD")
CONFIDENCE = ("high", "medium", "low")
SHOWN = 6

POP_NAMES = Check(
    "pop_names",
    Texts(
        "the names of POPs resolve to addresses of CloudFront",
        "these POPs cannot be chosen by name; countries and regions are warmed through the POPs that CloudFront "
        "selects by client subnet, if it does",
        "check that the functions' nameservers resolve names below cloudfront.net without changing the response",
    ),
)
CLIENT_SUBNETS = Check(
    "client_subnets",
    Texts(
        "CloudFront's nameservers choose a POP by client subnet",
        "locations without a POP name are not warmed",
        "nothing, unless you warm countries without a POP name; then, in a VPC, open outgoing UDP and TCP 53 to "
        "CloudFront's nameservers, or set PREWARM_NAMESERVERS to a nameserver that passes client subnets on",
    ),
)
REACHABILITY = Check(
    "reachability",
    Texts(
        "POPs respond over verified TLS, and X-Amz-Cf-Pop says that they are the ones",
        "targets at these POPs fail, or are skipped",
        "in a VPC, open outgoing TCP 443 and 80 (VpcSecurityGroupIds) and add a NAT gateway; a proxy that replaces "
        "certificates must leave CloudFront's addresses alone",
    ),
)


class EdgeChecks:
    """Checks the edge of one distribution; `pops` are the POPs that responded, once `rows` has ended."""

    def __init__(self, settings: Settings, store: KnowledgeStore) -> None:
        stall = min(settings.stall_seconds, STALL_SECONDS)
        connect = min(settings.connect_timeout_ms, CONNECT_MS)
        self._settings = replace(settings, stall_seconds=stall, connect_timeout_ms=connect)
        self._store = store
        self.pops: tuple[str, ...] = ()

    def rows(self, url: str, distribution: Distribution) -> Iterator[Row]:
        """Yield the rows of the three checks.

        Raises:
            NameserversSilent: no query was answered.

        """
        # The last run's networks are used, because refreshing them takes seconds that the caller may not have.
        known, _ = with_networks(replace(self._settings, edge_networks_url=""), self._store)
        self._networks = known.edge_networks or ()
        candidates = candidates_of(catalogue())
        addresses = self._addresses(distribution.prefix, candidates)
        yield self._names(candidates, addresses)
        yield self._subnets(distribution.domain)
        probed = self._probed(url, addresses)
        self.pops = ranked(candidates, probed, distribution.price_class)
        yield _reachability(candidates, addresses, probed)

    def _addresses(self, prefix: str, candidates: Mapping[str, Sequence[str]]) -> dict[str, list[str] | Skipped]:
        names = {pop: pop_name(prefix, pop) for pops in candidates.values() for pop in pops}
        responses = addresses_of(list(names.values()), self._settings)
        return {pop: usable_addresses(pop, responses[name], self._networks) for pop, name in names.items()}

    def _names(self, candidates: Mapping[str, Sequence[str]], addresses: Mapping[str, list[str] | Skipped]) -> Row:
        failed = [result for result in addresses.values() if isinstance(result, Skipped)]
        without = [
            name for name, pops in candidates.items() if all(isinstance(addresses[pop], Skipped) for pop in pops)
        ]
        detail = f"{len(addresses) - len(failed)} of {len(addresses)} POP names resolve"
        reasons = "; ".join(
            dict.fromkeys(f"{each.pop}: {each.detail or skip_text(each.reason)}" for each in failed[:SHOWN])
        )
        if len(failed) == len(addresses):
            return POP_NAMES.failure(f"{detail} ({reasons})")
        if without:
            return POP_NAMES.warning(f"{detail}, none of {', '.join(without)}")
        return POP_NAMES.ok(detail)

    def _subnets(self, domain: str) -> Row:
        subnets = {location: subnet for location, subnet in client_subnets().items() if location in SUBNETS_OF}
        responses = addresses_for_subnets([(domain, subnet) for subnet in subnets.values()], self._settings)
        chosen = {}
        for location, subnet in subnets.items():
            response = responses[domain, subnet]
            inside = [address for address in response.addresses if in_networks(address, self._networks)]
            if response.scoped and inside:
                chosen[location] = inside
        detail = f"{len(chosen)} of {len(subnets)} client subnets got a POP of their own"
        if not chosen:
            return CLIENT_SUBNETS.warning(f"{detail}: {', '.join(subnets)}")
        return CLIENT_SUBNETS.ok(detail)

    def _probed(self, url: str, addresses: Mapping[str, list[str] | Skipped]) -> dict[str, PopProbe]:
        target = "/".join(url.split("/", 3)[:3]) + PROBE_PATH
        probes = {
            pop: PopProbe(pop, found[:ADDRESSES], target)
            for pop, found in addresses.items()
            if not isinstance(found, Skipped)
        }
        run_probes(probes.values(), Fetcher(self._settings), None)
        return probes


def candidates_of(known: Catalogue) -> dict[str, list[str]]:
    """Return POPs to try on each continent: those surest to exist, in large and different locations. Pure."""
    sizes = Counter(pop.location.code for pop in known.pops.values())
    candidates = {}
    for continent, (regions, others) in CONTINENTS.items():
        excluded = set(expand("region", others, known)[0])
        pops = [known.pops[pop] for pop in expand("region", regions, known)[0] if pop not in excluded]
        pops.sort(key=lambda pop: pop.newest_seen, reverse=True)
        pops.sort(key=lambda pop: (CONFIDENCE.index(pop.confidence), -sizes[pop.location.code]))
        first: dict[str, Pop] = {}
        for pop in pops:
            first.setdefault(pop.location.code, pop)
        ids = [pop.id for pop in (*first.values(), *pops)]
        candidates[continent] = list(dict.fromkeys(ids))[:TRIED]
    return candidates


def ranked(
    candidates: Mapping[str, Sequence[str]], probed: Mapping[str, PopProbe], price_class: str
) -> tuple[str, ...]:
    """Return the POPs that responded: one of each continent first, and those outside the price class last. Pure."""
    living = [[pop for pop in pops if pop in probed and not probed[pop].failure] for pops in candidates.values()]
    rounds = [pops[number] for number in range(TRIED) for pops in living if number < len(pops)]
    outside = outside_price_class(price_class, rounds, catalogue())
    return tuple(sorted(rounds, key=lambda pop: pop in outside))


def _reachability(
    candidates: Mapping[str, Sequence[str]],
    addresses: Mapping[str, list[str] | Skipped],
    probed: Mapping[str, PopProbe],
) -> Row:
    responded, silent = [], []
    for continent, pops in candidates.items():
        tried = [pop for pop in pops if not isinstance(addresses[pop], Skipped)]
        living = next((pop for pop in tried if not probed[pop].failure), None)
        if living is not None:
            responded.append(f"{living} ({continent})")
        elif tried:
            silent.append(continent)
    failed = [f"{pop} ({skip_text(each.failure)})" for pop, each in probed.items() if each.failure]
    reasons = f"; not reachable: {', '.join(failed[:SHOWN])}" if failed else ""
    if not probed:
        return REACHABILITY.skipped(
            "no POP name has a usable address", "fix the POP names first, as the check before this one says"
        )
    if not responded:
        first = next((f": {each.detail}" for each in probed.values() if each.detail), "")
        return REACHABILITY.failure(f"no POP responds{reasons}{first}")
    detail = f"{', '.join(responded)} respond{reasons}"
    return REACHABILITY.warning(f"none of {', '.join(silent)}; {detail}") if silent else REACHABILITY.ok(detail)
