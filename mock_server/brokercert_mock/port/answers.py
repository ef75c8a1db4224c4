"""Answers to HTTP requests as bytes: the 101 of an upgrade, and those after which the connection is closed."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol


def handshake(target: str, headers: Sequence[tuple[str, str]], *, deflate: bool) -> tuple[bytes, list[Extension]] | str:
    """The 101 answer and the extensions that it accepts, or why there is none. The library checks the rules. With
    `deflate` an offer of permessage-deflate is accepted; any other is declined.
    """
    protocol = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()] if deflate else None)
    try:
        response = protocol.accept(Request(target, Headers(headers)))
    except InvalidHandshake as error:
        return str(error)
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        return (response.body or b"").decode("utf-8", "replace") or response.reason_phrase
    return response.serialize(), protocol.extensions


def last_answer(status: int, body: str = "", headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """An answer after which the connection is closed."""
    data = body.encode()
    lines = [f"HTTP/1.1 {status} {reason_of(status).decode()}", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


def reason_of(status: int) -> bytes:
    """The reason phrase; one of our own where no standard has any."""
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b"Status"
