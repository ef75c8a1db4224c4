"""Processes: a program that leaves its client in the background is told so; nobody says that it ended a connection."""

import asyncio
import os
from typing import Any

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("steady",)
EXPECT: dict[str, str] = {"EVT-020": "pass", "EVT-030": "pass"}
OTHERS = "not observed"

READ, WRITE = os.pipe()


class Wrong(Client):
    def synced(self, ws: ClientConnection, message: dict[str, Any]) -> asyncio.Task[None] | None:
        os.write(WRITE, b"!")
        return super().synced(ws, message)


if __name__ == "__main__":
    if os.fork():
        os.read(READ, 1)  # it is at work
        os._exit(0)
    os.setsid()
    main(Wrong)
