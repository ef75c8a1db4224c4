"""Giving up is any of: close frame, FIN, RST, a new socket in the same lane; here it comes first, and the old one ends
when the new one is at work. Frames that are no JSON are such an end too.
"""

import asyncio
from typing import Any

from common import Client, Over, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = (
    "preflight",
    "loss-protocol-close-open",
    "silent-application",
    "silent-dead",
    "heartbeat-streams",
    "malformed-json",
    "unknown-frames",
    "violated-closes",
    "hostile-run",
    "port-refused",
    "idle-close",
    "sync-ticket",
)
SHAPED = True
EXPECT: dict[str, str] = {}


class Odd(Client):
    def __init__(self) -> None:
        super().__init__()
        self.olds: list[ClientConnection] = []
        self.closing: list[asyncio.Task[None]] = []

    def malformed(self, text: str) -> None:
        raise Over

    async def session(self) -> None:
        ws = await self.open()
        try:
            await self.log_in(ws)
            await self.work(ws)
        except asyncio.CancelledError:
            await self.goodbye(ws)
            raise
        finally:
            self.olds.append(ws)

    def synced(self, ws: ClientConnection, message: dict[str, Any]) -> asyncio.Task[None] | None:
        self.closing = [asyncio.create_task(old.close(4000)) for old in self.olds]
        self.olds.clear()
        return super().synced(ws, message)


if __name__ == "__main__":
    main(Odd)
