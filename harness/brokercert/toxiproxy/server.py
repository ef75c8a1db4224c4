"""The embedded server: h11 in front of the API. It listens on loopback and shares the loop of whoever starts it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Self

import h11

from brokercert.toxiproxy.api import Api, Response

HEAD_WITHIN = 15.0  # seconds for a request, as the real server's read time-out
IDLE = 60.0  # seconds between two requests of one connection
LARGEST = 1024 * 1024  # bytes of a body


class ToxiproxyServer:
    """One server. Toxicity and jitter are drawn from `seed`, so that a run can be repeated.

    Its proxies listen on loopback alone, unless `everywhere`: then wherever they are told to.
    """

    def __init__(
        self, seed: int = 0, on_change: Callable[[str], None] | None = None, *, everywhere: bool = False
    ) -> None:
        self.api = Api(random.Random(seed), on_change, everywhere=everywhere)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop serving and end every proxy's connections."""
        if self._server is not None:
            self._server.close()
        for proxy in list(self.api.proxies.values()):
            await proxy.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._one(connection, reader, writer):
                connection.start_next_cycle()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return  # the client went away, or never finished its request
        except asyncio.CancelledError:
            return  # `close` is the only one that cancels; asyncio's streams (3.11) trip over a cancelled handler
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            phrase = HTTPStatus(status).phrase
            head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
            writer.write(f"{head}{status} {phrase}".encode())
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """One request and its answer; whether the connection goes on."""
        request, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                async with asyncio.timeout(IDLE if request is None else HEAD_WITHIN):
                    connection.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > LARGEST:
                    raise h11.RemoteProtocolError("body too large", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                return False
        assert request is not None
        agent = next((value for name, value in request.headers if name == b"user-agent"), b"").decode("latin-1")
        method = request.method.decode("latin-1")
        response = await self.api.handle(method, request.target.decode("latin-1"), body, agent)
        for out in self._events(response, method):
            writer.write(connection.send(out) or b"")
        await writer.drain()
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    def _events(self, response: Response, method: str) -> list[h11.Event]:
        headers: list[tuple[str, str]] = []
        if response.kind:
            headers.append(("Content-Type", response.kind))
        if response.location:
            headers.append(("Location", response.location))
        if response.kind.startswith("text/plain"):
            headers.append(("X-Content-Type-Options", "nosniff"))
        if response.matched:
            self._count += 1
            headers.append(("X-Toxiproxy-Request-Id", f"embedded{self._count:012d}"))
        if response.status != 204:
            headers.append(("Content-Length", str(len(response.body))))
        reason = HTTPStatus(response.status).phrase.encode()
        events: list[h11.Event] = [h11.Response(status_code=response.status, headers=headers, reason=reason)]
        if response.body and method != "HEAD":
            events.append(h11.Data(data=response.body))
        return [*events, h11.EndOfMessage()]
