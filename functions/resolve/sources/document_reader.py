"""Read documents through CloudFront, from the edge location that serves this function, or from S3."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from prewarm.edge_networks import shipped
from prewarm.errors import truncate
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.request_headers import header_lines
from prewarm.fetcher.response import Response
from prewarm.planning.source_documents import S3, ReadDocument
from prewarm.request.model import PrewarmRequest
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, redacted
from resolve.distributions.finder import DistributionFinder
from resolve.dns_lookup import addresses_of, in_networks
from resolve.sources.budget import Budget
from resolve.sources.freshness import Freshness
from resolve.sources.intake import UNKNOWN_HOSTS_AT_MOST, resolve_address
from resolve.sources.s3_list import read_object

TRIES = 3
PAUSE_SECONDS = 0.5
OK, REDIRECT, SERVER_ERROR = 200, 300, 500
# libcurl's FILESIZE_EXCEEDED (curl/curl.h).
TOO_LARGE = 63
# Redirects to hosts that may be warmed are followed, as browsers do (Fetch Standard: 20); a document has few.
REDIRECTS_AT_MOST = 5
# For the documents that are read together: a byte every half second never ends.
SECONDS_AT_MOST = 60.0


@dataclass(slots=True, eq=False)
class Document:
    """One document to read: the URL that lists it, the one it was read from, and its body.

    `problem` is empty if the body is whole; `moved`: whether redirects led from `url` to `read_from`; `stale`: it, or
    a redirect to it, is to be invalidated before it is used.
    """

    url: Url
    read_from: Url
    body: bytearray = field(default_factory=bytearray)
    problem: str = "was not requested"
    tries: int = 0
    location: str = ""
    stale: bool = False
    response: Response | None = None

    @property
    def moved(self) -> bool:
        """Return whether the document was read from another URL than its own."""
        return self.url.fetch != self.read_from.fetch


class DocumentReader:
    """Reads documents for one run; distributions and addresses are looked up once."""

    def __init__(
        self,
        finder: DistributionFinder,
        settings: Settings,
        fields: PrewarmRequest,
        budget: Budget,
        store: Storage,
        freshness: Freshness,
    ) -> None:
        self._finder, self._settings, self._fields, self._budget = finder, settings, fields, budget
        self._store, self._freshness = store, freshness
        self._read: list[ReadDocument] = []
        self._has_stale = False
        self._addresses: dict[str, list[str]] = {}
        self._unknown: set[str] = set()
        self._headers = header_lines(fields.headers, fields.user_agent)

    def refused_hosts(self, hosts: Collection[str]) -> dict[str, str]:
        """Return why URLs of some of the hosts cannot be warmed, by host.

        Hosts that no distribution lists are looked up in DNS, up to a number in each run, because documents of others
        may name any number of them.
        """
        looked_up = []
        refused = {}
        for host in dict.fromkeys(hosts):
            if not self._finder.lists(host) and host not in self._unknown:
                if len(self._unknown) >= UNKNOWN_HOSTS_AT_MOST:
                    refused[host] = f"no distribution lists its host, one of more than {UNKNOWN_HOSTS_AT_MOST:,}"
                    continue
                self._unknown.add(host)
            looked_up.append(host)
        return refused | self._finder.find(looked_up, self._fields.cf_domain).reasons

    def read(self, urls: Sequence[Url], most_bytes: int) -> list[Document]:
        """Return the documents in the order of `urls`; one that cannot be read as a whole has a problem."""
        documents = [Document(url, url) for url in urls]
        unread = [document for document in documents if not self._read_object(document, most_bytes)]
        seconds = min(SECONDS_AT_MOST, self._budget.seconds_left())
        ends = time.monotonic() + seconds
        for _ in range(REDIRECTS_AT_MOST + 1):
            self._fetch(unread, most_bytes, ends, seconds)
            self._judge(unread)
            unread = [document for document in unread if document.location and _follow(document)]
            if not unread:
                break
        for document in unread:
            document.problem = f"starts a chain of more than {REDIRECTS_AT_MOST} redirects"
        for document in documents:
            if document.problem:
                document.body = bytearray()
        return documents

    def taken_documents(self) -> tuple[list[ReadDocument], bool]:
        """Return what was read since the last call, redirects included, and whether some of it is stale."""
        taken, self._read = (self._read, self._has_stale), []
        self._has_stale = False
        return taken

    def _read_object(self, document: Document, most_bytes: int) -> bool:
        """Read a document in S3; returns whether its address is one."""
        if document.url.scheme != "s3":
            return False
        address = document.url.fetch
        try:
            document.body = bytearray(read_object(address, self._settings, self._store, most_bytes, "a sitemap"))
        except ValueError as error:
            document.problem = str(error)
        else:
            document.problem = ""
            self._read.append(ReadDocument(address, "", None, S3))
        return True

    def _judge(self, documents: Sequence[Document]) -> None:
        """Note where each response came from; what a broken transfer brought says nothing."""
        for document in documents:
            response, url = document.response, document.read_from
            if response is None or (response.error and response.error != TOO_LARGE):
                continue
            distribution = self._finder.find([url.host], self._fields.cf_domain).distributions[url.host]
            read, stale = self._freshness.judge(url, distribution, response)
            self._read.append(read)
            document.stale |= stale
            self._has_stale |= stale

    def _fetch(self, documents: Sequence[Document], most_bytes: int, ends: float, seconds: float) -> None:
        """Fetch the documents until `ends`, in `seconds`; set each one's problem, and its location if redirected."""
        queues = self._queues(documents)
        fetches = []
        for document in documents:
            document.location, document.tries, document.response = "", 0, None
            if queue := queues.get(document.read_from.host):
                document.problem = f"was not complete after {seconds:.3g} seconds"
                fetches.append(Fetch(document.read_from.fetch, self._headers, queue, document, body=document.body))

        def on_answer(fetch: Fetch, response: Response) -> float | None:
            document: Document = fetch.owner
            document.response = response
            document.problem = _problem(response, most_bytes)
            if not response.error and REDIRECT <= response.status < REDIRECT + 100:
                document.location = response.location
            document.tries += 1
            fetch.address += 1
            retried = document.problem and _is_transient(response) and document.tries < TRIES
            return PAUSE_SECONDS if retried else None

        fetcher = Fetcher(self._settings)
        fetcher.run(fetches, on_answer, max_bytes=most_bytes, should_stop=lambda: time.monotonic() > ends)

    def _queues(self, documents: Sequence[Document]) -> dict[str, PopQueue]:
        """Return a queue for each host with an edge address; sets the problem of the other hosts' documents."""
        hosts = {document.read_from.host for document in documents}
        refused = self.refused_hosts(hosts)
        found = self._finder.find(hosts - refused.keys(), self._fields.cf_domain)
        domains = {host: each.domain for host, each in found.distributions.items()}
        new = sorted(set(domains.values()) - self._addresses.keys())
        networks = self._settings.edge_networks or shipped().networks
        for domain, resolved in addresses_of(new, self._settings).items() if new else ():
            self._addresses[domain] = [address for address in resolved or () if in_networks(address, networks)]
        queues = {}
        for host, domain in domains.items():
            if addresses := self._addresses[domain]:
                queues[host] = PopQueue(addresses)
        for document in documents:
            host = document.read_from.host
            if host in refused:
                at = f"redirects to {truncate(redacted(document.read_from.given))}, which " if document.moved else ""
                document.problem = f"{at}cannot be read: {refused[host]}"
            elif host not in queues:
                document.problem = f"cannot be read: {domains[host]} has no usable address"
        return queues


def _follow(document: Document) -> bool:
    """Set the URL that a redirect leads to; returns False, and sets the problem, if it is not one to warm."""
    try:
        document.read_from = resolve_address(document.location, document.read_from.fetch)
    except ValueError as error:
        location = truncate(redacted(document.location))
        document.problem = f"is a redirect to {location!r}, which {error}; use the URL that it leads to"
        return False
    return True


def _problem(response: Response, most_bytes: int) -> str:
    """Return why a response is not a whole document, or an empty text."""
    if response.error == TOO_LARGE or response.bytes > most_bytes:
        return f"is larger than {most_bytes:,} bytes"
    if response.error:
        return f"cannot be read: {response.error_text or f'curl error {response.error}'}"
    if REDIRECT <= response.status < REDIRECT + 100:
        location = truncate(redacted(response.location)) if response.location else "an unknown location"
        return f"is a redirect to {location}; use the URL that it leads to"
    if response.status != OK or response.x_cache.startswith("Error "):
        return f"cannot be read: status {response.status}, X-Cache: {response.x_cache or 'absent'}"
    if _is_truncated(response):
        return f"ended after {response.bytes:,} of {truncate(response.content_length)} bytes"
    return ""


def _is_transient(response: Response) -> bool:
    """Return whether another try may succeed: after a broken transfer, a 5xx, or a truncated 200."""
    return (
        bool(response.error) or response.status >= SERVER_ERROR or (response.status == OK and _is_truncated(response))
    )


def _is_truncated(response: Response) -> bool:
    return bool(response.content_length) and response.length != response.bytes
