"""Defects of leaving."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import NORMAL, ReferenceClient


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
