"""Silence is no pass: without a sync, rows about it fail or are blocked by EVT-020, never pass."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("steady", "loss-fin", "sync-ticket", "sync-captcha")
EXPECT: dict[str, str] = {
    "EVT-020": "fail",
    # What it did was seen, and was right: rows that ask for an authorized socket alone are judged without a sync.
    "LOG-020": "pass",
    "CON-060": "pass",
    "LOG-060": "pass",
    "LOG-090": "pass",
    "HBT-010": "pass",
    "HBT-020": "pass",
    "HBT-070": "pass",
    "REC-020": "pass",
    # One request alone shows no second id. No event comes to a socket without a sync, so FIN ends a quiet time.
    "REQ-010": "not observed",
    "REC-010": "not observed",
}
OTHERS = "blocked"


class Wrong(Client):
    async def sync(self, ws: ClientConnection) -> None:
        """It never does."""


if __name__ == "__main__":
    main(Wrong)
