"""LOG-040: staying, closing and leaving for good are all legal after a refusal; this one closes and stays away."""

import asyncio

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("token-refused", "token-refused-closed")
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def refused(self, ws: ClientConnection) -> None:
        await ws.close(1000)
        await asyncio.Future()


if __name__ == "__main__":
    main(Odd)
