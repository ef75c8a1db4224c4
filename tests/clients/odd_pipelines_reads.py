"""Tickets, requests: it reads without waiting for its answers, and a read of the same endpoint goes before a retry."""

import asyncio
import json

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("sync-ticket", "sync-captcha", "token-refused", "answer-in-batch", "authorize-ticket")
EXPECT: dict[str, str] = {}
EVERY = 0.25  # seconds between two reads


class Odd(Client):
    async def beat(self, ws: ClientConnection) -> None:
        """From the login on."""
        reading = asyncio.create_task(self.read(ws))
        try:
            await super().beat(ws)
        finally:
            reading.cancel()

    async def read(self, ws: ClientConnection) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.request(ws, "account/list", "")

    def body(self, content: dict[str, object]) -> str:
        return json.dumps(content, indent=1)


if __name__ == "__main__":
    main(Odd)
