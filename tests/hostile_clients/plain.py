"""What the hostile clients of this folder share: a bare socket, the broker's address, and a frame written by hand.

Each file has KINDS: a function for each kind of client, whose first line says what it does, with the verdict of the row
of well-formed frames that it has to get. `python tests/hostile_clients/FILE.py KIND` is one under the process protocol.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

FAIL, BLOCKED, SHORT = "fail", "blocked", "not observed"
Kind = tuple[Callable[[], None], str]
PATIENCE = 20.0  # seconds for an answer of the broker

TOKEN = os.environ.get("BROKERCERT_TOKEN", "")


def connected() -> socket.socket:
    url = urlsplit(os.environ["BROKERCERT_URL"])
    assert url.hostname and url.port
    one = socket.create_connection((url.hostname, url.port), PATIENCE)
    one.settimeout(PATIENCE)
    return one


UPGRADE = (
    b"GET /v1/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
GET = b"GET /v1/account/list HTTP/1.1\r\nHost: x\r\n\r\n"


def frame(first: int, payload: bytes = b"", *, masked: bool = True, length: bytes | None = None) -> bytes:
    """A frame whose first byte is `first`; the mask changes nothing."""
    bit = 0x80 if masked else 0
    if length is None:
        size = len(payload)
        if size < 126:
            length = bytes((bit | size,))
        elif size < 1 << 16:
            length = bytes((bit | 126,)) + size.to_bytes(2, "big")
        else:
            length = bytes((bit | 127,)) + size.to_bytes(8, "big")
    return bytes((first,)) + length + (b"\x00" * 4 if masked else b"") + payload


def say(*parts: bytes) -> None:
    """On a connection of its own, until the broker ends it or says no more: with the client's FIN behind."""
    with connected() as one:
        with suppress(OSError):
            for part in parts:
                one.sendall(part)
            one.shutdown(socket.SHUT_WR)
        heard(one)


def heard(one: socket.socket) -> bytes:
    """All that comes until the end."""
    answer = b""
    with suppress(OSError):
        while part := one.recv(65536):
            answer += part
    return answer


def upgraded(*parts: bytes) -> None:
    """The same behind an upgrade."""
    say(UPGRADE, *parts)


def main(kinds: dict[str, Kind]) -> None:
    kinds[sys.argv[1]][0]()
