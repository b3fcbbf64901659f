"""Read documents through CloudFront, from the edge location that serves this function; each whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from prewarm.catalogue import published_edge_networks
from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.request_headers import header_lines
from prewarm.fetcher.response import Response
from prewarm.request.model import PrewarmRequest
from prewarm.settings import Settings
from prewarm.urls import Url, redacted
from resolve.distributions.finder import DistributionFinder
from resolve.dns_lookup import addresses_of, in_networks

TRIES = 3
PAUSE_SECONDS = 0.5
OK, REDIRECT, SERVER_ERROR = 200, 300, 500
# libcurl's FILESIZE_EXCEEDED (curl/curl.h).
TOO_LARGE = 63


@dataclass(slots=True, eq=False)
class Document:
    """One document to read: its URL, the source that lists it, and its body; `problem` is empty if it is whole."""

    url: Url
    source: str
    body: bytearray = field(default_factory=bytearray)
    problem: str = "was not requested"
    tries: int = 0


class DocumentReader:
    """Reads documents for one run; distributions and addresses are looked up once."""

    def __init__(self, finder: DistributionFinder, settings: Settings, fields: PrewarmRequest) -> None:
        self._finder, self._settings, self._fields = finder, settings, fields
        self._addresses: dict[str, list[str]] = {}
        self._headers = header_lines(fields.headers, fields.user_agent)

    def read(self, source: str, urls: Sequence[Url], most_bytes: int) -> list[bytes]:
        """Return the documents' bodies in the order of `urls`.

        Raises:
            InvalidRequest: a document cannot be read as a whole; lists every problem, each with the source.

        """
        documents = [Document(url, source) for url in urls]
        queues = self._queues(documents)
        fetches = []
        for document in documents:
            if queue := queues.get(document.url.host):
                fetch = Fetch(document.url.fetch, self._headers, queue, document, body=document.body)
                fetches.append(fetch)

        def on_answer(fetch: Fetch, response: Response) -> float | None:
            document: Document = fetch.owner
            document.problem = _problem(response, most_bytes)
            document.tries += 1
            fetch.address += 1
            retried = document.problem and _is_transient(response) and document.tries < TRIES
            return PAUSE_SECONDS if retried else None

        Fetcher(self._settings).run(fetches, on_answer, max_bytes=most_bytes)
        problems = [
            Problem(source, f"{truncate(redacted(document.url.given))!r} {document.problem}")
            for document in documents
            if document.problem
        ]
        if problems:
            raise InvalidRequest(problems)
        return [bytes(document.body) for document in documents]

    def _queues(self, documents: Sequence[Document]) -> dict[str, PopQueue]:
        """Return a queue for each host with an edge address; sets the problem of the other hosts' documents."""
        found = self._finder.find({document.url.host for document in documents}, self._fields.cf_domain)
        domains = {host: each.domain for host, each in found.distributions.items()}
        new = sorted(set(domains.values()) - self._addresses.keys())
        networks = self._settings.edge_networks or published_edge_networks()
        for domain, resolved in addresses_of(new, self._settings).items() if new else ():
            self._addresses[domain] = [address for address in resolved or () if in_networks(address, networks)]
        queues = {}
        for host, domain in domains.items():
            if addresses := self._addresses[domain]:
                queues[host] = PopQueue(addresses)
        for document in documents:
            host = document.url.host
            if host in found.reasons:
                document.problem = f"cannot be read: {found.reasons[host]}"
            elif host not in queues:
                document.problem = f"cannot be read: {domains[host]} has no usable address"
        return queues


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
