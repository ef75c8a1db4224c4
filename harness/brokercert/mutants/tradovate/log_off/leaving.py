"""Defects of leaving."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import NORMAL, ReferenceClient
from brokercert.reference.tradovate.session import Session

GOODBYE = 60.0  # seconds


@mutant("leaves-without-a-word", "OFF-010", reason="no close frame on an open connection")
class LeavesWithoutAWord(ReferenceClient):
    """Asked to stop, it drops its connection without a close frame."""

    async def leave(self, ws: ClientConnection) -> None:
        if self._stop.is_set():
            ws.transport.abort()
        else:
            await super().leave(ws)


@mutant("comes-back-after-log-off", "OFF-010", reason="no coming back after log-off")
class ComesBack(ReferenceClient):
    """Asked to stop, it says good-bye, and its reconnect loop takes that for a loss."""

    async def stop(self) -> None:
        loop = asyncio.get_running_loop()
        for shard, session in list(self._sessions.items()):
            session.stop(loop.time())
            self._wake[shard].set()

    async def leave(self, ws: ClientConnection) -> None:
        await ws.close(NORMAL)


@mutant("ignores-stop", "OFF-010", reason="asked to stop, it goes on")
class IgnoresStop(ReferenceClient):
    """Does not stop when it is asked to."""

    async def stop(self) -> None:
        pass


@mutant("says-goodbye-when-live-only", "OFF-010", reason="no close frame before it is synced")
class SaysGoodbyeWhenLiveOnly(ReferenceClient):
    """Asked to stop before it is synced, it drops its connection without a close frame."""

    _synced = False

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        try:
            await super().pump(session, ws, wake)
        finally:
            self._synced = session.live_since is not None

    async def leave(self, ws: ClientConnection) -> None:
        if self._stop.is_set() and not self._synced:
            ws.transport.abort()
        else:
            await super().leave(ws)


@mutant("ends-its-login-first", "OFF-010", reason="asked to stop while it waits for an answer, it waits on")
class EndsItsLoginFirst(ReferenceClient):
    """Asked to stop before it is synced, it waits until it is."""

    async def stop(self) -> None:
        if all(session.live_since is not None for session in self._sessions.values()):
            await super().stop()
        else:
            asyncio.get_running_loop().call_later(0.1, self._again)

    def _again(self) -> None:
        self._asking = asyncio.get_running_loop().create_task(self.stop())


@mutant(
    "waits-for-the-servers-goodbye",
    "OFF-010",
    reason="a server that is dead answers no close frame, and a client leaves in 15 s all the same",
)
class WaitsForTheServersGoodbye(ReferenceClient):
    """Asked to stop, it waits for the server's close frame for as long as a minute."""

    async def leave(self, ws: ClientConnection) -> None:
        if self._stop.is_set():
            ws.close_timeout = GOODBYE
        await super().leave(ws)
