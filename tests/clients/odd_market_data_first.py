"""Connections, lanes, login: a market-data socket that is opened first, authorizes with its own token and asks nothing;
the user's socket comes a second later.
"""

import asyncio

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("open-held", "answer-in-batch", "authorize-ticket", "authorize-error-text", "sync-ticket", "token-refused")
EXPECT: dict[str, str] = {}
LATER = 1.0  # seconds: the user's socket


class MarketData(Client):
    def __init__(self) -> None:
        super().__init__()
        self.token = self.env["BROKERCERT_MD_TOKEN"]

    async def sync(self, ws: ClientConnection) -> None:
        """It asks for nothing."""


class Odd(Client):
    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(MarketData().run())
            await asyncio.sleep(LATER)
            tasks.create_task(super().run())


if __name__ == "__main__":
    main(Odd)
