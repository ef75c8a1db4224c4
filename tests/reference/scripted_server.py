"""A scripted server for the reference client, and the virtual time in which the two are played."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import looptime
from brokercert.reference.tradovate import ReferenceClient
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

SNAPSHOT = {"users": [{"id": 1}], "orders": [{"id": 7, "ordStatus": "Working"}]}
TICKET = {"p-ticket": "tick-1", "p-time": 3}
SECRETS = ("tok-given", "tok-fresh", "s3cr3t", "hunter2")


@dataclass
class Socket:
    """One connection as the server saw it: requests are (time, endpoint, id, body)."""

    number: int
    ws: ServerConnection
    opened: float
    requests: list[tuple[float, str, int, str]] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    closed: float | None = None

    def endpoints(self) -> list[str]:
        return [endpoint for _, endpoint, _, _ in self.requests]

    async def reply(self, ident: int, data: Any = None, status: int = 200) -> None:
        await self.ws.send("a" + json.dumps([{"s": status, "i": ident, "d": data}]))


class Broker:
    """A healthy server. A script changes one thing: `answers[endpoint]` or `on_open`, both per socket number."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.attempts: list[float] = []
        self.answers: dict[tuple[str, int], Callable[[Socket, int], Awaitable[None]]] = {}
        self.on_open: Callable[[Socket], Awaitable[bool]] | None = None  # True: go on as a healthy server
        self.upgrade: Callable[[int], HTTPStatus | None] = lambda number: None

    async def __aenter__(self) -> Broker:
        self.server = await serve(
            self.serve_one,
            "127.0.0.1",
            0,
            process_request=self.on_upgrade,
            ping_interval=None,
            close_timeout=1,
            compression="deflate",  # offered to, so that a client that wants it would get it
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    def on_upgrade(self, ws: ServerConnection, request: Request) -> Response | None:
        self.attempts.append(asyncio.get_running_loop().time())
        status = self.upgrade(len(self.attempts))
        return None if status is None else ws.respond(status, "")

    async def serve_one(self, ws: ServerConnection) -> None:
        loop = asyncio.get_running_loop()
        socket = Socket(len(self.sockets) + 1, ws, loop.time())
        self.sockets.append(socket)
        beating: asyncio.Task[None] | None = None
        try:
            if self.on_open is not None and not await self.on_open(socket):
                return
            await ws.send("o")
            beating = asyncio.create_task(beat(ws))
            async for text in ws:
                await self.hear(socket, str(text), loop.time())
        except ConnectionClosed:
            pass  # by reset: seen in `closed`
        finally:
            socket.closed = loop.time()
            if beating is not None:
                beating.cancel()

    async def hear(self, socket: Socket, text: str, now: float) -> None:
        if text == "[]":
            socket.beats.append(now)
            return
        endpoint, ident, _, body = text.split("\n", 3)
        socket.requests.append((now, endpoint, int(ident), body))
        special = self.answers.get((endpoint, socket.number)) or self.answers.get((endpoint, 0))
        if special is not None:
            await special(socket, int(ident))
        elif endpoint == "user/syncrequest":
            await socket.reply(int(ident), SNAPSHOT)
        else:
            await socket.reply(int(ident))


async def beat(ws: ServerConnection) -> None:
    while True:
        await asyncio.sleep(2.5)
        await ws.send("h")


async def nothing(socket: Socket, ident: int) -> None:
    """An answer that never comes."""


async def reset(socket: Socket) -> None:
    """The connection is gone without a word."""
    socket.ws.transport.abort()


def env_of(broker: Broker, **more: str) -> dict[str, str]:
    return {
        "BROKERCERT_URL": f"ws://127.0.0.1:{broker.port}/v1/websocket",
        "BROKERCERT_REST_URL": "http://127.0.0.1:9/v1",
        "BROKERCERT_TOKEN": "tok-given",
        **more,
    }


@dataclass
class Life:
    """A client that runs beside its test."""

    client: ReferenceClient
    task: asyncio.Task[int]
    lines: list[str]

    async def stop(self, within: float = 15.0) -> int:
        await self.client.stop()
        async with asyncio.timeout(within):
            return await self.task


def start(broker: Broker, on_event: Callable[[str, Any], None] | None = None, **more: str) -> Life:
    lines: list[str] = []
    client = ReferenceClient(env_of(broker, **more), lines.append, on_event=on_event, wall=lambda: 1.7e9, seed=1)
    return Life(client, asyncio.create_task(client.run()), lines)


def in_virtual_time(play: Callable[[Broker], Awaitable[None]]) -> None:
    """Run a play; when it is over nothing of the client may be left."""

    async def whole() -> None:
        async with Broker() as broker:
            await play(broker)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left

    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0, resolution=1e-9)) as runner:
        runner.run(whole())
