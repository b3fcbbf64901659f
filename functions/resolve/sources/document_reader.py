"""Reads documents through CloudFront: at the edge that serves this function, whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from prewarm import __version__
from prewarm.catalogue import published_edge_networks
from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.response import Response
from prewarm.request.model import PrewarmRequest
from prewarm.settings import Settings
from prewarm.urls import Url, redacted
from resolve.distributions.finder import Directory
from resolve.dns_lookup import addresses_of
from resolve.group_draft import in_networks

TRIES = 3
PAUSE_SECONDS = 0.5
OK, REDIRECT = 200, 300


@dataclass(slots=True, eq=False)
class Document:
    """One document to read: its URL, the source that named it, and what came of it (`problem` empty: it is whole)."""

    url: Url
    source: str
    body: bytearray = field(default_factory=bytearray)
    problem: str = "was never asked for"
    tries: int = 0


class Reader:
    """Reads documents for one run; distributions and addresses are looked up once."""

    def __init__(self, directory: Directory, settings: Settings, fields: PrewarmRequest) -> None:
        self._directory, self._settings, self._fields = directory, settings, fields
        self._addresses: dict[str, list[str]] = {}
        agent = fields.user_agent or f"CloudFront-Prewarm/{__version__}"
        self._headers = [f"User-Agent: {agent}"]
        self._headers += [
            f"{name}: {value}" if value.strip() else f"{name};" for name, value in fields.headers.items()
        ]

    def read(self, source: str, urls: Sequence[Url], most_bytes: int) -> list[bytes]:
        """Return the documents' bodies in the order given.

        Raises:
            InvalidRequest: one of them cannot be had whole: with every problem, each naming the source.

        """
        documents = [Document(url, source) for url in urls]
        queues = self._lanes(documents)
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
            passing = response.error or response.status >= 500 or document.problem.startswith("ended")  # noqa: PLR2004 - 5xx
            return PAUSE_SECONDS if document.problem and passing and document.tries < TRIES else None

        Fetcher(self._settings).run(fetches, on_answer, max_bytes=most_bytes)
        problems = [
            Problem(source, f"{truncate(redacted(document.url.given))!r} {document.problem}")
            for document in documents
            if document.problem
        ]
        if problems:
            raise InvalidRequest(problems)
        return [bytes(document.body) for document in documents]

    def _lanes(self, documents: Sequence[Document]) -> dict[str, PopQueue]:
        """Return for each host the way to an edge that serves it; notes in each document why there is none."""
        found = self._directory.find({document.url.host for document in documents}, self._fields.cf_domain)
        domains = {host: each.domain for host, each in found.distributions.items()}
        new = sorted(set(domains.values()) - self._addresses.keys())
        networks = self._settings.edge_networks or published_edge_networks()
        for domain, answered in addresses_of(new, self._settings).items() if new else ():
            self._addresses[domain] = [address for address in answered or () if in_networks(address, networks)]
        queues = {}
        for host, domain in domains.items():
            if addresses := self._addresses[domain]:
                queues[host] = PopQueue(addresses)
        for document in documents:
            host = document.url.host
            if host in found.reasons:
                document.problem = f"cannot be read: {found.reasons[host]}"
            elif host not in queues:
                document.problem = f"cannot be read: {domains[host]} gave no usable address"
        return queues


def _problem(response: Response, most_bytes: int) -> str:
    """Say what is wrong with a response, or return an empty text."""
    if response.error == 63 or response.bytes > most_bytes:  # noqa: PLR2004 - libcurl's FILESIZE_EXCEEDED
        return f"is larger than {most_bytes:,} bytes"
    if response.error:
        return f"cannot be read: {response.error_text or f'curl error {response.error}'}"
    if REDIRECT <= response.status < REDIRECT + 100:
        return f"is a redirect to {truncate(redacted(response.location or 'nowhere'))}; name where it leads"
    if response.status != OK or response.x_cache.startswith("Error "):
        return f"cannot be read: status {response.status}, X-Cache: {response.x_cache or 'absent'}"
    if response.content_length.isdecimal() and int(response.content_length) != response.bytes:
        return f"ended after {response.bytes:,} of {response.content_length} bytes"
    return ""
