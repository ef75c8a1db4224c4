"""What the mock must take: messages in fragments, empty ones included, with a ping in between."""

from collections.abc import AsyncIterator

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("steady", "sync-ticket", "loss-fin")
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def write(self, ws: ClientConnection, text: str) -> None:
        async def pieces() -> AsyncIterator[str]:
            yield text[:5]
            await ws.ping()
            yield ""
            yield text[5:]

        await ws.send(pieces())


if __name__ == "__main__":
    main(Odd)
