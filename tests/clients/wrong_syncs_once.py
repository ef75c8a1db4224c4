"""Back is authorized again: who does not sync again fails REC-030 by that, and nothing else."""

from typing import Any

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = (
    "preflight",
    "loss-fin",
    "port-refused",
    "unavailable-accept",
    "upgrade-unanswered",
    "idle-close",
    "heartbeat-streams",
    "malformed-json",
    "violated-heads",
    "unknown-frames",
)
EXPECT: dict[str, str] = {"REC-030": "fail"}
LIMITS = {"window_first_sync": 10.0}


class Wrong(Client):
    synced_once = False

    async def sync(self, ws: ClientConnection) -> None:
        if not self.synced_once:
            await super().sync(ws)

    def synced(self, ws: ClientConnection, message: dict[str, Any]) -> Any:
        self.synced_once = True
        return super().synced(ws, message)


if __name__ == "__main__":
    main(Wrong)
