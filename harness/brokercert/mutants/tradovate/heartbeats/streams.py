"""Defects of heartbeat timers that nobody ends, and of timers that nobody sets back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.session import Session


class _BeatingOnArrival(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        super().on_item(item, now)
        self._out.append(wire.HEARTBEAT)


@mutant("beats-on-every-message", "HBT-070", also="HBT-080", reason="under load that is thousands of heartbeats")
class BeatsOnArrival(ReferenceClient):
    """Sends a heartbeat for everything that arrives."""

    session_class = _BeatingOnArrival


class _Timers(ReferenceClient):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timers: list[asyncio.Task[None]] = []

    async def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        await super().stop()


@mutant(
    "beats-on-the-old-socket",
    "HBT-080",
    also="LOG-080",
    reason="the old socket's timer outlives it; that it was given up, the next socket alone shows",
)
class BeatsOnOldSocket(_Timers):
    """Leaves a socket that the server closed by `c[...]`, or that fell silent, open, and its timer running."""

    async def leave(self, ws: ClientConnection) -> None:
        if self._stop.is_set():
            await super().leave(ws)
        else:
            self._timers.append(asyncio.create_task(self._beat(ws)))

    async def _beat(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.config.heartbeat_every)
                await ws.send(wire.HEARTBEAT)


@mutant(
    "a-timer-for-every-socket",
    "HBT-080",
    also={"HBT-070": "with several sockets the timers add up to a flood"},
    reason="with every reconnect one more timer beats on the live socket",
)
class TimerForEverySocket(_Timers):
    """Starts a heartbeat timer with each socket after the first that beats on whichever is live, and ends none."""

    _newest: ClientConnection | None = None

    async def open_socket(self) -> ClientConnection:
        again = self._newest is not None
        self._newest = await super().open_socket()
        if again:
            self._timers.append(asyncio.create_task(self._beat()))
        return self._newest

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.config.heartbeat_every)
            if self._newest is not None:
                with suppress(ConnectionClosed):
                    await self._newest.send(wire.HEARTBEAT)
