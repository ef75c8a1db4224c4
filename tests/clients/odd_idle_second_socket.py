"""Connections, lanes, attempts: a socket that never syncs has no lane; it is no overlap and no missing sync."""

import asyncio

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("steady", "loss-close-1012", "loss-protocol-close-open", "outage-refused", "heartbeat-streams")
SHAPED = True
EXPECT: dict[str, str] = {"REC-035": "not applicable"}  # it asked for nothing beside its sync


class Idle(Client):
    async def sync(self, ws: ClientConnection) -> None:
        """It is there for requests that never come."""


class Odd(Client):
    async def run(self) -> None:
        await asyncio.gather(super().run(), Idle().run())


if __name__ == "__main__":
    main(Odd)
