"""Which web pages may use a port of this machine: those that its own servers gave to a browser, and those named.

Any page that a developer has open can connect to a port of loopback. The browser then names the page's origin in the
header `Origin`: in each WebSocket upgrade, and in each request that could change anything. No page can leave it out or
alter it. A program may send it too, or leave it out: without one, nothing is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from brokercert_mock.port.addresses import address_in, is_loopback

NULL = "null"  # of a page that has no origin: a file, or a frame in a sandbox
USUAL: Mapping[str, str] = MappingProxyType({"http": "80", "ws": "80", "https": "443", "wss": "443"})
SHOWN = 200  # characters of an origin that is told in an answer: of a longer one nothing is
# A browser's `file://` has no host. No user, path or query: `http://localhost@evil.example` is no origin of localhost.
_FORM = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._-]*)(?::([0-9]{1,5}))?/?", re.IGNORECASE)


class OriginError(Exception):
    """A text that is no origin; says what was expected."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An origin in its one form: lower case, and without the port that its scheme has anyway. `null` has none of it."""

    scheme: str
    host: str
    port: str

    @classmethod
    def read(cls, text: str) -> Origin:
        """Raises `OriginError`."""
        if text.strip().lower() == NULL:
            return cls("", NULL, "")
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise OriginError("expected SCHEME://HOST or SCHEME://HOST:PORT in ASCII, as a browser sends it, or null")
        scheme, host, port = found[1].lower(), found[2].lower().strip("[]"), str(int(found[3])) if found[3] else ""
        return cls(scheme, host, "" if port == USUAL.get(scheme) else port)

    def is_here(self, address: str) -> bool:
        """Whether its page came from this machine: from loopback, or from the address that a request was sent to.

        The address is the socket's. The header `Host` would not do: whoever owns a name can make it lead here, and then
        a foreign page sends that name in both headers.
        """
        return bool(self.scheme) and (is_loopback(self.host) or _same_address(self.host, address))


@dataclass(frozen=True, slots=True)
class Origins:
    """From which origins a port takes requests: `named` ones, and with `here` all of this machine. `advice` tells who
    is refused what to do.
    """

    named: frozenset[Origin]
    here: bool
    advice: str

    def refusal(self, given: Iterable[str], address: str = "") -> str | None:
        """What is answered to a request with these headers `Origin` (none, as a rule one) that was sent to this
        address. None: it is taken.
        """
        for text in given:
            why = self._objection(text, address)
            if why:
                return f"{_told(text)} is refused: {why}\n"
        return None

    def _objection(self, text: str, address: str) -> str:
        try:
            origin = Origin.read(text)
        except OriginError as error:
            return str(error)  # refused: nobody can say of which place it is
        if origin in self.named or (self.here and origin.is_here(address)):
            return ""
        return f"a web page of another place may not use this port; {self.advice}"


def _told(text: str) -> str:
    """The header as it came where it is an origin, and short. Never a piece of it, nor another spelling: half a token,
    or one with other letters, is none that whoever cleans the answer would know.
    """
    with suppress(OriginError):
        Origin.read(text)
        if len(text) <= SHOWN and text.isascii():
            return f"Origin {text!a}"
    return f"an Origin of {len(text)} characters"


def _same_address(host: str, address: str) -> bool:
    found = address_in(host)
    return found is not None and found == address_in(address)
