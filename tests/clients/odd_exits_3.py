"""Processes: leaving with any exit code after a refused login is no crash."""

from common import Client, Leave, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("token-refused", "token-refused-closed")
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def refused(self, ws: ClientConnection) -> None:
        raise Leave(3)


if __name__ == "__main__":
    main(Odd)
