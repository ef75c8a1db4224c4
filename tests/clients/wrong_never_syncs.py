"""Silence is no pass: without a sync, rows about it fail or are blocked by EVT-020, never pass."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("steady", "loss-fin", "sync-ticket", "sync-captcha")
EXPECT: dict[str, str] = {"EVT-020": "fail"}


class Wrong(Client):
    async def sync(self, ws: ClientConnection) -> None:
        """It never does."""


if __name__ == "__main__":
    main(Wrong)
