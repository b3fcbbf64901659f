"""TLS for the POPs: one CA, an ECDSA leaf per distribution, and leaves that are invalid on purpose."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from prewarm_local.edge.config import Distribution
    from prewarm_local.edge.edge import Hosts

WRONG_NAME = "wrong-name.invalid"


class Certificates:
    """The CA, and a TLS context per kind of connection, shared by all POPs."""

    def __init__(self, hosts: Hosts) -> None:
        """Create a new CA."""
        self._hosts = hosts
        self._ca = trustme.CA(organization_name="Simulated CloudFront")
        self._leaves: dict[tuple[str, str], trustme.LeafCert] = {}
        self._contexts: dict[tuple[str, str, bool], ssl.SSLContext] = {}

    def write_bundle(self, path: Path) -> None:
        """Write the CA certificate for clients to trust."""
        self._ca.cert_pem.write_to_path(str(path))

    def context(self, fault: str = "", *, http2: bool = True) -> ssl.SSLContext:
        """Return the context of a POP's listeners; SNI selects the certificate.

        `fault`: "", "expired" or "wrong_name".
        """
        base = self._context(None, fault, http2=http2)
        base.sni_callback = self._choose(fault, http2=http2)  # type: ignore[assignment]
        return base

    def _choose(self, fault: str, *, http2: bool) -> Callable[[ssl.SSLSocket, str | None, ssl.SSLContext], None]:
        def choose(connection: ssl.SSLSocket, name: str | None, _base: ssl.SSLContext) -> None:
            distribution = self._hosts.find(name) if name else None
            if distribution is not None:
                connection.context = self._context(distribution, fault, http2=http2)

        return choose

    def _context(self, distribution: Distribution | None, fault: str, *, http2: bool) -> ssl.SSLContext:
        key = (distribution.domain if distribution else "", fault, http2)
        context = self._contexts.get(key)
        if context is None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
            self._leaf(distribution, fault).configure_cert(context)
            self._contexts[key] = context
        return context

    def _leaf(self, distribution: Distribution | None, fault: str) -> trustme.LeafCert:
        """Return a distribution's certificate; for None, that of `*.cloudfront.net`."""
        domain = distribution.domain if distribution else ""
        if (domain, fault) not in self._leaves:
            names = (distribution.domain, *distribution.aliases) if distribution else ("*.cloudfront.net",)
            if fault == "wrong_name":
                names = (WRONG_NAME,)
            now = dt.datetime.now(dt.UTC)
            expired = now - dt.timedelta(days=1)
            self._leaves[domain, fault] = self._ca.issue_cert(
                *names,
                not_before=now - dt.timedelta(days=30),
                not_after=expired if fault == "expired" else now + dt.timedelta(days=30),
            )
        return self._leaves[domain, fault]
