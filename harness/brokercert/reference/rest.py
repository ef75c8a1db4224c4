"""REST calls of the client: one request, one connection, one deadline. h11 over asyncio streams."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import h11
import msgspec

from brokercert.reference.resolve import address_of

LARGEST = 4 * 1024 * 1024  # bytes of an answer's body
CHUNK = 65536
_Answered = tuple[int, bytes, dict[str, str]]  # status, body, headers in lower case


class RestError(Exception):
    """A call that brought no answer, or one that is no success."""


async def call(
    url: str,
    *,
    body: Any = None,
    bearer: str = "",
    within: float = 10.0,
    tls: ssl.SSLContext | None = None,
    dns: str = "",
    more_headers: Sequence[tuple[str, str]] = (),
) -> Any:
    """POST `body` as JSON, or GET where there is none; the decoded JSON answer. Raises `RestError`.

    `dns` is the name server to ask (host:port); empty: the system's.
    """
    status, data, _ = await _within(within, url, body, bearer, tls, dns, more_headers)
    if not 200 <= status < 300:
        raise RestError(f"{urlsplit(url).path} answered {status}")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RestError(f"{urlsplit(url).path} answered with something that is no JSON") from error


async def redirect(url: str, within: float = 10.0) -> str:
    """GET what answers with a redirect: where it leads. It is not followed. Raises `RestError`."""
    status, _, headers = await _within(within, url, None, "", None, "", ())
    if not 300 <= status < 400 or "location" not in headers:
        raise RestError(f"{urlsplit(url).path} answered {status}, and leads nowhere")
    return headers["location"]


async def _within(within: float, url: str, *more: Any) -> _Answered:
    try:
        async with asyncio.timeout(within):
            return await _exchange(url, *more)
    except (OSError, TimeoutError, h11.ProtocolError, asyncio.IncompleteReadError) as error:
        raise RestError(f"{type(error).__name__} while calling {urlsplit(url).path}") from error


async def _exchange(
    url: str, body: Any, bearer: str, tls: ssl.SSLContext | None, dns: str, more_headers: Sequence[tuple[str, str]]
) -> _Answered:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    secure = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
    name = parts.hostname or ""
    host = await address_of(name, dns, random.Random()) if dns else name
    reader, writer = await asyncio.open_connection(
        host, port, ssl=secure, server_hostname=name if secure is not None else None
    )
    try:
        connection = h11.Connection(h11.CLIENT)
        payload = b"" if body is None else msgspec.json.encode(body)
        headers = [("Host", parts.netloc), ("Content-Length", str(len(payload))), ("Connection", "close")]
        if payload:
            headers.append(("Content-Type", "application/json"))
        headers += more_headers
        if bearer:
            headers.append(("Authorization", f"Bearer {bearer}"))
        method = "GET" if body is None else "POST"
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        head = h11.Request(method=method, target=target, headers=headers)
        for event in (head, h11.Data(data=payload), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        writer.close()


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> _Answered:
    status, data = 0, b""
    headers: dict[str, str] = {}
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data):
            data += event.data
            if len(data) > LARGEST:
                raise h11.RemoteProtocolError("answer too large")
        elif isinstance(event, h11.EndOfMessage):
            return status, data, headers
        elif isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("closed before an answer came")
