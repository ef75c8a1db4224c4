"""Heartbeats driven by arrivals are the vendor's own advice: no timer, a beat on an arrival 2.5 s after the last."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("steady", "load", "quiet", "heartbeat-streams")
EXPECT: dict[str, str] = {}


class Odd(Client):
    last = 0.0

    async def beat(self, ws: ClientConnection) -> None:
        """There is no timer."""

    async def on_frame(self, ws: ClientConnection, text: str) -> None:
        if self.loop.time() - self.last >= self.BEAT:
            self.last = self.loop.time()
            await ws.send("[]")


if __name__ == "__main__":
    main(Odd)
