"""What is evidence: authorize at TCP open, before `o`, is a warning where `o` is held back, nothing elsewhere."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("open-held", "login-timed", "answer-held")
EXPECT: dict[str, str] = {"LOG-025": "warning"}


class Odd(Client):
    async def await_open(self, ws: ClientConnection) -> None:
        """Nobody waits."""


if __name__ == "__main__":
    main(Odd)
