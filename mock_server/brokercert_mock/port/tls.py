"""Certificates made on the fly: a good one for localhost, and three that a client must refuse (TP §12).

One server context for all: which certificate a handshake gets is decided when its hello arrives.
"""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import trustme

Kind = Literal["good", "untrusted", "wrong-host", "expired", "cut"]
KINDS: tuple[Kind, ...] = ("good", "untrusted", "wrong-host", "expired")


class Certificates:
    """A CA of its own. Some stacks refuse IP names, and a CA as leaf, so that the leaf is for `localhost`.

    `told` hears the kind of every handshake whose hello arrived.
    """

    def __init__(self, told: Callable[[str], None] = lambda kind: None) -> None:
        self._ca = trustme.CA()
        self._told = told
        self.kind: Kind = "good"
        self._contexts = {kind: self._made(kind) for kind in KINDS}

    def write_ca(self, path: Path) -> Path:
        """The CA that a client is to trust, as PEM."""
        self._ca.cert_pem.write_to_path(str(path))
        return path

    def context(self) -> ssl.SSLContext:
        """A server's context, which presents the certificate that `kind` says at that time; *cut* presents none, and
        breaks the handshake off.
        """
        context = self._made("good")
        context.sni_callback = self._on_hello
        return context

    def _on_hello(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int | None:
        self._told(self.kind)
        if self.kind == "cut":
            return int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR)
        connection.context = self._contexts[self.kind]
        return None

    def _made(self, kind: Kind) -> ssl.SSLContext:
        ca = trustme.CA() if kind == "untrusted" else self._ca
        host = "elsewhere.example" if kind == "wrong-host" else "localhost"
        if kind == "expired":
            past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)
            leaf = ca.issue_cert(host, not_before=past - datetime.timedelta(days=30), not_after=past)
        else:
            leaf = ca.issue_cert(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        # A resumed session is not asked for its certificate again, so that none is offered.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        return context
