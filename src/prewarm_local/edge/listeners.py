"""The sockets of the POPs: an HTTPS and an HTTP listener on each address, closed if the POP is dark."""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import errno
import resource
import socket
from typing import TYPE_CHECKING

from prewarm_local.edge.viewer import Connections, Viewer
from prewarm_local.edge.viewer_http1 import Http1Viewer
from prewarm_local.edge.viewer_http2 import Http2Viewer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from prewarm_local.edge.certificates import Certificates
    from prewarm_local.edge.config import EdgeConfig
    from prewarm_local.edge.edge import Pop

BACKLOG = 1024
PORT_TRIES = 20
# A TLS record has at most 16 KiB (RFC 8446 §5.1), and viewers send short requests. asyncio's own size is 256 KiB,
# filled with zeros for each connection: 1.7 GB in `prewarm demo`.
TLS_BUFFER = 16 * 1024


def raise_descriptor_limit() -> None:
    """Raise this process's limit of open sockets to the system's maximum."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _ProtocolSelector(Viewer):
    """Passes a TLS connection to the protocol negotiated in its handshake."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        protocol_name = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        kind = Http2Viewer if protocol_name == "h2" else Http1Viewer
        protocol = kind(self.pop, self._connections, self.server)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


def _listen(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def listen_everywhere(addresses: Iterable[str], port: int) -> dict[str, socket.socket]:
    """Listen on one port of all addresses.

    Port 0 selects one that is free on all of them.
    """
    every = list(addresses)
    for attempt in range(PORT_TRIES):
        sockets: dict[str, socket.socket] = {}
        chosen = port
        try:
            for address in every:
                sockets[address] = _listen(address, chosen)
                chosen = sockets[address].getsockname()[1]
        except OSError as error:
            for sock in sockets.values():
                sock.close()
            if port or error.errno != errno.EADDRINUSE or attempt == PORT_TRIES - 1:
                raise
        else:
            return sockets
    raise AssertionError


class Listeners:
    """The listeners of all POPs."""

    def __init__(self, config: EdgeConfig, pops: dict[str, Pop], certificates: Certificates) -> None:
        """Create the listeners without starting them."""
        self.addresses = config.addresses()
        self.connections: Connections = {name: set() for name in pops}
        self.https_port = config.https_port
        self.http_port = config.http_port
        self._config = config
        self._pops = pops
        self._certificates = certificates
        self._servers: dict[str, list[asyncio.Server]] = {}

    async def start(self) -> None:
        """Listen for every POP that is not dark; replace port 0 by the port selected."""
        asyncio.sslproto.SSLProtocol.max_size = TLS_BUFFER
        lit = [pop for pop in self._pops if pop not in self._config.dark]
        every = [address for pop in lit for address in self.addresses[pop]] or ["127.64.0.1"]
        https = listen_everywhere(every, self.https_port)
        http = listen_everywhere(every, self.http_port)
        self.https_port = https[every[0]].getsockname()[1]
        self.http_port = http[every[0]].getsockname()[1]
        for pop in lit:
            await self._serve(pop, [https[a] for a in self.addresses[pop]], [http[a] for a in self.addresses[pop]])
        if not lit:
            https[every[0]].close()
            http[every[0]].close()

    async def set_dark(self, pop: str, *, dark: bool) -> None:
        """Refuse TCP at a POP and abort its open connections, or listen there again."""
        if dark:
            for server in self._servers.pop(pop, []):
                server.close()
            for transport in list(self.connections[pop]):
                transport.abort()
        elif pop not in self._servers:
            addresses = self.addresses[pop]
            https = listen_everywhere(addresses, self.https_port)
            http = listen_everywhere(addresses, self.http_port)
            await self._serve(pop, list(https.values()), list(http.values()))

    async def _serve(self, name: str, https: list[socket.socket], http: list[socket.socket]) -> None:
        pop = self._pops[name]
        context = self._certificates.context(
            self._config.tls_faults.get(name, ""), http2=name not in self._config.http1_only
        )
        servers = [await self._server(sock, pop, context, index) for index, sock in enumerate(https)]
        servers += [await self._server(sock, pop, None, index) for index, sock in enumerate(http)]
        self._servers[name] = servers

    async def _server(
        self, sock: socket.socket, pop: Pop, context: ssl.SSLContext | None, index: int
    ) -> asyncio.Server:
        kind = Http1Viewer if context is None else _ProtocolSelector
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: kind(pop, self.connections, index), sock=sock, ssl=context, backlog=BACKLOG
        )
