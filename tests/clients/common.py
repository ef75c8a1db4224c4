"""The plain, correct client that the odd and the wrong ones of this folder differ from, each in one respect.

Its law: every method is one decision that clients were seen to take differently, so that a variant overrides one.
`python tests/clients/odd_x.py` runs it as a program under the process protocol; all times in seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException


class Over(Exception):
    """This socket is to be given up; the next attempt comes after `pause` at least."""

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__(f"given up, {pause:g} s")
        self.pause = pause


class Leave(Exception):
    """The client leaves for good with an exit status."""


class Client:
    BEAT = 2.5
    STEP = 10.0  # for connect, `o`, and the answer to authorize
    SILENCE: float | None = 10.0
    REFUSED = 27.0  # at most three uses of a refused token in a minute
    LOCKOUT = 3600.0  # after 429, and before a captcha's request is made again
    FIRST_ID = 0

    def __init__(self) -> None:
        self.env = os.environ
        self.token = self.env["BROKERCERT_TOKEN"]
        self.loop = asyncio.get_running_loop()
        self.ids: dict[ClientConnection, int] = {}
        self.sync_ids: dict[ClientConnection, int] = {}
        self.ticket, self.ticket_due = "", 0.0
        self.attempts = 0
        self.locked_until = 0.0

    # What variants change.

    def delay(self, attempts: int) -> float:
        """From the end of a socket to the next attempt, `attempts` of them in vain before."""
        return min(10.0, 0.5 * float(2**attempts)) * random.uniform(0.8, 1.0)

    async def before_connect(self) -> None:
        """Anything to do before each connection."""

    def token_text(self) -> str:
        return self.token

    async def write(self, ws: ClientConnection, text: str) -> None:
        await ws.send(text)

    def endpoint(self, name: str) -> str:
        return name

    def body(self, content: dict[str, Any]) -> str:
        return json.dumps(content)

    def sync_body(self) -> dict[str, Any]:
        return {"splitResponses": True, "entityTypes": ["account", "order", "fill", "position"]}

    async def await_open(self, ws: ClientConnection) -> None:
        async with asyncio.timeout(self.STEP):
            while await self.frame(ws) != "o":
                pass

    async def on_frame(self, ws: ClientConnection, text: str) -> None:
        """Every frame of a working socket, before it is read."""

    async def beat(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.BEAT)
                await ws.send("[]")

    async def refused(self, ws: ClientConnection) -> None:
        raise Over(self.REFUSED)

    async def sync(self, ws: ClientConnection) -> None:
        """The sync request, when its penalty is over."""
        await asyncio.sleep(self.ticket_due - self.loop.time())
        content = self.sync_body() | ({"p-ticket": self.ticket} if self.ticket else {})
        with suppress(ConnectionClosed):
            self.sync_ids[ws] = await self.request(ws, "user/syncrequest", self.body(content))

    async def goodbye(self, ws: ClientConnection) -> None:
        """Asked to stop."""
        await ws.close(1000)

    def stop(self, work: asyncio.Task[None]) -> None:
        """SIGTERM came."""
        work.cancel()

    def malformed(self, text: str) -> None:
        """A frame that is no JSON after its letter."""

    # What they share.

    async def request(self, ws: ClientConnection, endpoint: str, body: str) -> int:
        ident = self.ids[ws] = self.ids.get(ws, self.FIRST_ID - 1) + 1
        await self.write(ws, f"{self.endpoint(endpoint)}\n{ident}\n\n{body}")
        return ident

    async def frame(self, ws: ClientConnection) -> str:
        """The next text frame; binary ones count as arrivals only."""
        async with asyncio.timeout(self.SILENCE):
            frame = await ws.recv()
        return frame if isinstance(frame, str) else ""

    def messages(self, text: str) -> list[dict[str, Any]]:
        try:
            content = json.loads(text[1:]) if text[:1] in ("a", "c") else []
        except (ValueError, RecursionError):
            self.malformed(text)
            return []
        if text[:1] == "c":
            raise Over
        return [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []

    async def open(self) -> ClientConnection:
        await self.before_connect()
        return await connect(
            self.env["BROKERCERT_URL"],
            open_timeout=self.STEP,
            close_timeout=1,
            ping_interval=None,
            max_size=2**26,
            proxy=None,
        )

    async def log_in(self, ws: ClientConnection) -> None:
        await self.await_open(ws)
        ident = await self.request(ws, "authorize", self.token_text())
        answers: list[dict[str, Any]] = []
        async with asyncio.timeout(self.STEP):
            while not answers:
                answers = [message for message in self.messages(await self.frame(ws)) if message.get("i") == ident]
        if answers[0].get("s") == 429:
            raise Over(self.LOCKOUT)
        if answers[0].get("s") != 200 or answers[0].get("d"):
            await self.refused(ws)

    async def work(self, ws: ClientConnection) -> None:
        """A socket that is logged in: heartbeats, the sync, and reading, until it ends."""
        stable_at = self.loop.time() + 60.0
        helpers = [asyncio.create_task(self.beat(ws)), asyncio.create_task(self.sync(ws))]
        try:
            while True:
                text = await self.frame(ws)
                await self.on_frame(ws, text)
                for message in self.messages(text):
                    if message.get("i") == self.sync_ids.get(ws, -1) and (retry := self.synced(ws, message)):
                        helpers.append(retry)
                if self.loop.time() >= stable_at:
                    self.attempts = 0
        finally:
            for helper in helpers:
                helper.cancel()

    def synced(self, ws: ClientConnection, message: dict[str, Any]) -> asyncio.Task[None] | None:
        data = message.get("d")
        if not isinstance(data, dict) or "p-ticket" not in data or data.get("p-captcha"):
            captcha = isinstance(data, dict) and data.get("p-captcha")
            locked = message.get("s") == 429
            self.ticket, self.ticket_due = "", self.loop.time() + self.LOCKOUT if captcha or locked else 0.0
            self.locked_until = self.ticket_due if locked else 0.0
            return None
        self.ticket, self.ticket_due = data["p-ticket"], self.loop.time() + data["p-time"]
        return asyncio.create_task(self.sync(ws))

    async def session(self) -> None:
        """One socket, from the connection to its end."""
        ws = await self.open()
        try:
            await self.log_in(ws)
            await self.work(ws)
        except asyncio.CancelledError:
            await self.goodbye(ws)
            raise
        finally:
            self.ids.pop(ws, None)
            self.sync_ids.pop(ws, None)
            await ws.close(4000)

    async def run(self) -> None:
        """Socket after socket."""
        while True:
            pause = 0.0
            try:
                await self.session()
            except Over as over:
                pause = over.pause
            except (WebSocketException, OSError, TimeoutError) as error:
                print(type(error).__name__, flush=True)
            delay = max(pause, self.delay(self.attempts), self.locked_until - self.loop.time())
            self.attempts = min(self.attempts + 1, 10)
            await asyncio.sleep(delay)


async def _main(kind: type[Client]) -> int:
    client = kind()
    work = asyncio.create_task(client.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, client.stop, work)
    commands = asyncio.create_task(_commands(client, work))
    try:
        await work
    except asyncio.CancelledError:
        return 0
    except Leave as leave:
        return int(leave.args[0])
    finally:
        commands.cancel()
    return 0


async def _commands(client: Client, work: asyncio.Task[None]) -> None:
    """Lines of standard input, of which the command `stop` is the one that it knows."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        if json.loads(line)["command"] == "stop":
            client.stop(work)


def main(kind: type[Client]) -> None:
    """Be this client until it leaves."""
    sys.exit(asyncio.run(_main(kind)))
