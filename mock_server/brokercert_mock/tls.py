"""Certificates made on the fly: a good one for localhost, and three that a client must refuse (TP §12)."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Literal

import trustme

Kind = Literal["good", "untrusted", "wrong-host", "expired"]


class Certificates:
    """A CA of its own. Some stacks refuse IP names, and a CA as leaf, so that the leaf is for `localhost`."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    def write_ca(self, path: Path) -> Path:
        """The CA that a client is to trust, as PEM."""
        self._ca.cert_pem.write_to_path(str(path))
        return path

    def context(self, kind: Kind = "good") -> ssl.SSLContext:
        """A server's context with a certificate of this kind."""
        ca = trustme.CA() if kind == "untrusted" else self._ca
        host = "elsewhere.example" if kind == "wrong-host" else "localhost"
        if kind == "expired":
            past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)
            leaf = ca.issue_cert(host, not_before=past - datetime.timedelta(days=30), not_after=past)
        else:
            leaf = ca.issue_cert(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        return context
