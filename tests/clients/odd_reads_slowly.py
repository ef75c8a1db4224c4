"""Heartbeats under load: a client that reads slower than the events come beats on; with nothing subscribed to beside
its sync it has nothing to bring back.
"""

import asyncio

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("load", "loss-subscribed")
EXPECT = {"REC-035": "not applicable"}


class Odd(Client):
    async def on_frame(self, ws: ClientConnection, text: str) -> None:
        await asyncio.sleep(0.006)  # at 200 events a second it falls behind


if __name__ == "__main__":
    main(Odd)
