"""Silence is no pass: without a sync, rows about it fail or are blocked by EVT-020, never pass."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("steady", "loss-fin", "sync-ticket", "sync-captcha")
EXPECT: dict[str, str] = {
    "LOG-020": "pass",
    "EVT-020": "fail",
    # What it did was seen, and was right: it showed no credential, and its heartbeats do not flood.
    "LOG-090": "pass",
    "HBT-070": "pass",
    # Without a sync the scenario ends after 31 s, which is too short for these.
    "LOG-060": "not observed",
    "HBT-010": "not observed",
    "HBT-020": "not observed",
    "REQ-010": "not observed",
}
OTHERS = "blocked"


class Wrong(Client):
    async def sync(self, ws: ClientConnection) -> None:
        """It never does."""


if __name__ == "__main__":
    main(Wrong)
