"""Names each message by its ordinals, as a client does that looks into none: connection and message, from 1."""

from __future__ import annotations

import json

from common import main
from reporting import Reporter
from websockets.asyncio.client import ClientConnection


class ByOrdinal(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.connection = self.message = 0

    async def before_connect(self) -> None:
        self.connection, self.message = self.connection + 1, 0

    async def frame(self, ws: ClientConnection) -> str:
        text = await super().frame(ws)
        self.message += 1
        self.tell(json.dumps({"event": "processed", "connection": self.connection, "message": self.message}))
        return text

    async def on_frame(self, ws: ClientConnection, text: str) -> None:
        """It has been told of."""


if __name__ == "__main__":
    main(ByOrdinal)
