"""Silence is no pass: what needs a second attempt is blocked by REC-010 where none came."""

import asyncio
from contextlib import suppress

from common import Client, Over, main
from websockets.exceptions import WebSocketException

SCENARIOS = ("loss-fin", "loss-protocol-close-open", "idle-close", "outage-refused")
EXPECT: dict[str, str] = {
    "REC-010": "fail",
    "HBT-060": "fail",
    "REC-020": "blocked",
    "REC-030": "blocked",
    "REC-050": "blocked",
    "REC-060": "blocked",
}
LIMITS = {"window_recovery": 30.0}


class Wrong(Client):
    async def run(self) -> None:
        with suppress(Over, WebSocketException, OSError, TimeoutError):
            await self.session()
        await asyncio.Future()


if __name__ == "__main__":
    main(Wrong)
