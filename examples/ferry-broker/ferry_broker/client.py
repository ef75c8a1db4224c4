"""The reference client, written from the page: `python -m ferry_broker.client`, or `FerryClient` in this process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from brokercert.reference.program import serve
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

HERE_EVERY = 1.0  # seconds: FP Staying aboard
BACK_AFTER = 0.6  # seconds: half a second at least
ANSWER_WITHIN = 5.0  # seconds for a connection to be made


class FerryClient:
    """Factory and subject in one. `wall` and `seed`, which a factory is given, mean nothing to it."""

    def __init__(
        self, env: Mapping[str, str], output: Callable[[str], None], *, wall: Any = None, seed: int = 1
    ) -> None:
        self.url, self.badge = env["BROKERCERT_URL"], env["BROKERCERT_BADGE"]
        self.output = output
        self._stopped = asyncio.Event()

    async def run(self) -> int:
        """One connection after the other, until it is asked to stop."""
        riding = asyncio.get_running_loop().create_task(self.ride())
        await self._stopped.wait()
        riding.cancel()
        await asyncio.wait({riding})
        return 0

    async def stop(self) -> None:
        self._stopped.set()

    async def ride(self) -> None:
        while True:
            try:
                socket = await connect(
                    self.url, proxy=None, compression=None, ping_interval=None, open_timeout=ANSWER_WITHIN
                )
                await self.live(socket)
            except (OSError, TimeoutError, WebSocketException) as error:
                self.output(f"lost: {type(error).__name__}")
            await self.pause()

    async def pause(self) -> None:
        await asyncio.sleep(BACK_AFTER)

    async def live(self, socket: ClientConnection) -> None:
        """One connection, to its end."""
        await self.board(socket)
        beating = asyncio.get_running_loop().create_task(self.beat(socket))
        try:
            async for message in socket:
                body = json.loads(message)
                if body.get("op") == "fare":
                    await self.pay(socket, body["n"])
        finally:
            beating.cancel()
            await self.leave(socket)

    async def board(self, socket: ClientConnection) -> None:
        await self.say(socket, op="board", badge=self.badge)

    async def pay(self, socket: ClientConnection, number: int) -> None:
        await self.say(socket, op="paid", n=number)

    async def leave(self, socket: ClientConnection) -> None:
        await socket.close()

    async def beat(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(self.here_every())
            try:
                await self.say(socket, op="here")
            except ConnectionClosed:
                return

    def here_every(self) -> float:
        return HERE_EVERY

    async def say(self, socket: ClientConnection, **body: Any) -> None:
        await socket.send(json.dumps(body))


async def _no_command(client: FerryClient, line: bytes) -> None:
    """The protocol has none: the client is certified at the level *wire*."""


def main(factory: type[FerryClient] = FerryClient) -> int:
    return asyncio.run(serve(factory, lambda client: False, _no_command))


if __name__ == "__main__":
    sys.exit(main())
