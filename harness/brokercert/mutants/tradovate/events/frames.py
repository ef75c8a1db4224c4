"""Defects of putting messages together: a WebSocket frame is not yet one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient


class _ByFrames:
    """A connection that hands out each frame by itself."""

    def __init__(self, ws: ClientConnection) -> None:
        self._ws = ws
        self._parts: AsyncIterator[str | bytes] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ws, name)

    async def recv(self) -> str | bytes:
        while True:
            self._parts = self._parts or aiter(self._ws.recv_streaming())
            async for part in self._parts:
                return part
            self._parts = None


@mutant(
    "takes-each-frame-for-a-message",
    "EVT-070",
    fields="order.presence fill.presence position.netPos",
    reason="a message may come in several frames",
)
class TakesFramesForMessages(ReferenceClient):
    """Takes each WebSocket frame for a whole message."""

    async def open_socket(self) -> ClientConnection:
        connection: Any = _ByFrames(await super().open_socket())
        return connection  # type: ignore[no-any-return]
