"""LOG-080: an `o` that never comes must be given up; this one waits for ever."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("open-never",)
EXPECT: dict[str, str] = {"LOG-080": "fail"}
LIMITS = {"window_first_authorize": 5.0, "window_recovery": 20.0}


class Wrong(Client):
    async def await_open(self, ws: ClientConnection) -> None:
        while await ws.recv() != "o":
            pass


if __name__ == "__main__":
    main(Wrong)
