"""OFF-010: a close frame without a code is what `close()` sends in browsers and many libraries."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("stop-open", "stop-away")
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def goodbye(self, ws: ClientConnection) -> None:
        ws.protocol.send_close()
        ws.transport.write(b"".join(ws.protocol.data_to_send()))
        await ws.wait_closed()


if __name__ == "__main__":
    main(Odd)
