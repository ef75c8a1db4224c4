"""LOG-040: a client may keep the socket on which its token was refused, and go on beating on it."""

from common import Client, Over, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("token-refused", "token-refused-closed")
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def refused(self, ws: ClientConnection) -> None:
        await self.beat(ws)
        raise Over(self.REFUSED)


if __name__ == "__main__":
    main(Odd)
