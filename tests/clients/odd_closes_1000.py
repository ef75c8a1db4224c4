"""REC-010's clock runs for the client's own giving-up too, whatever code it closes with; 1000 is a default."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("silent-application", "silent-dead", "loss-protocol-close-open")
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def work(self, ws: ClientConnection) -> None:
        try:
            await super().work(ws)
        except TimeoutError:
            await ws.close(1000)
            raise


if __name__ == "__main__":
    main(Odd)
