"""After a hostile frame, "alive" means hearing: a dead reader with a live timer beats for ever."""

import asyncio

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("malformed-json",)
EXPECT: dict[str, str] = {"MSG-010": "fail"}
LIMITS = {"window_recovery": 30.0}


class Wrong(Client):
    deaf = False

    def malformed(self, text: str) -> None:
        self.deaf = True

    async def frame(self, ws: ClientConnection) -> str:
        if self.deaf:
            await asyncio.Future()
        return await super().frame(ws)


if __name__ == "__main__":
    main(Wrong)
