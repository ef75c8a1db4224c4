"""A Tradovate WebSocket client on `websockets`: one socket at a time, for as long as the process lives.

Its law: whatever ends a socket, a new one follows with back-off, authorizes, and syncs once. SIGTERM ends it for good.
"""

import asyncio
import json
import os
import random
import signal
import sys
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

BEAT = 2.5  # seconds: the protocol's heartbeat cadence
SILENCE = 10.0  # seconds without any frame (`h` comes every 2.5 s) after which the server is given up
STEP = 10.0  # seconds for each of: connect with upgrade, `o`, the answer to authorize
FIRST_DELAY = 0.5  # seconds before the first attempt to reconnect; doubled each time ...
LONGEST_DELAY = 10.0  # ... up to this
STABLE = 60.0  # seconds that a socket must have worked before the ladder starts again at its foot
REFUSED = 27.0  # seconds before a refused token is tried again: at most three uses in a minute
LOCKOUT = 3600.0  # seconds after 429, or a ticket that only a person can use: requests made earlier prolong it
GIVEN_UP = 4000  # close code for a socket that this client gives up, as the vendor's own client sends it
ENTITY_TYPES = ["account", "cashBalance", "position", "order", "orderVersion", "executionReport", "fill", "contract"]


class Over(Exception):
    """This socket is to be given up; the next attempt comes after `pause` seconds at least."""

    def __init__(self, why: str, pause: float = 0.0) -> None:
        super().__init__(why)
        self.pause = pause


class Client:
    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.loop = asyncio.get_running_loop()
        self.entities: dict[tuple[str, int], dict[str, Any]] = {}
        self.stable_at = float("inf")
        self.penalty_until, self.ticket = 0.0, ""  # of the sync request; they outlive the socket
        self.lockout_until = 0.0

    async def run(self) -> None:
        """Socket after socket, until cancelled."""
        attempts = 0
        while True:
            why, pause = "closed", 0.0
            self.stable_at = float("inf")
            try:
                await self.session()
            except Over as over:
                why, pause = str(over), over.pause
            except InvalidStatus as refused:
                why = f"upgrade answered {refused.response.status_code}"
                pause = LOCKOUT if refused.response.status_code == 429 else 0.0
            except (WebSocketException, OSError, TimeoutError) as error:
                why = type(error).__name__
            attempts = 0 if self.loop.time() >= self.stable_at else attempts
            ladder = min(LONGEST_DELAY, FIRST_DELAY * 2**attempts) * random.uniform(0.8, 1.0)
            delay = max(ladder, pause, self.lockout_until - self.loop.time())
            attempts = min(attempts + 1, 10)  # far beyond the cap, and short of an overflow
            print(f"{why}; next attempt in {delay:.1f} s", flush=True)
            await asyncio.sleep(delay)

    async def session(self) -> None:
        """One socket, from the connection to its end. Its helpers end with it."""
        print("connecting", flush=True)
        ws = await connect(self.url, open_timeout=STEP, close_timeout=1, ping_interval=None, max_size=2**26, proxy=None)
        helpers: list[asyncio.Task[None]] = []
        code = GIVEN_UP
        try:
            await self.log_in(ws)
            self.stable_at = self.loop.time() + STABLE
            helpers.append(asyncio.create_task(self.beat(ws)))
            helpers.append(asyncio.create_task(self.sync(ws, 1)))
            self.entities.clear()  # the snapshot tells what is true
            sync_id = 1
            while True:
                for message in await self.receive(ws, SILENCE):
                    if message.get("i") == sync_id and (wait := self.sync_answered(message)):
                        sync_id += 1
                        helpers.append(asyncio.create_task(self.sync(ws, sync_id, wait)))
                    elif message.get("e") == "props":
                        self.apply(message.get("d"))
        except asyncio.CancelledError:
            code = 1000  # asked to stop: a normal end
            raise
        finally:
            for helper in helpers:
                helper.cancel()
            await ws.close(code)  # without effect where the server closed first

    async def receive(self, ws: ClientConnection, within: float) -> list[dict[str, Any]]:
        """The messages of the next frame; none where it carries none, or nothing that can be read."""
        async with asyncio.timeout(within):
            frame = await ws.recv()
        if not isinstance(frame, str) or frame[:1] not in ("a", "c", "o"):
            return []
        if frame == "o":
            return [{"open": True}]
        try:
            content = json.loads(frame[1:])
        except (ValueError, RecursionError):
            return []  # one bad frame must not cost the connection
        if frame[0] == "c":
            raise Over("the server said goodbye")
        return [message for message in content if isinstance(message, dict)] if isinstance(content, list) else []

    async def log_in(self, ws: ClientConnection) -> None:
        """Wait for `o`, authorize as request 0, and find its answer wherever it stands."""
        async with asyncio.timeout(STEP):
            while {"open": True} not in await self.receive(ws, STEP):
                pass
        await ws.send(f"authorize\n0\n\n{self.token}")
        async with asyncio.timeout(STEP):
            answers: list[dict[str, Any]] = []
            while not answers:
                answers = [message for message in await self.receive(ws, STEP) if message.get("i") == 0]
        status, data = answers[0].get("s"), answers[0].get("d")
        data = data if isinstance(data, dict) else {}
        if status == 429 or data.get("p-captcha"):
            raise Over("locked out", LOCKOUT)
        if "p-ticket" in data:
            raise Over("penalty for authorize", float(data.get("p-time", STEP)))
        if status != 200 or data.get("errorText"):
            raise Over(f"authorize refused with {status}", REFUSED)
        print("authorized", flush=True)

    async def beat(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # `session` learns of it too
            while True:
                await asyncio.sleep(BEAT)
                await ws.send("[]")

    async def sync(self, ws: ClientConnection, ident: int, wait: float = 0.0) -> None:
        """The sync request, not before its penalty is over, and then with its ticket."""
        await asyncio.sleep(max(wait, self.penalty_until - self.loop.time()))
        body: dict[str, Any] = {"splitResponses": True}
        body["entityTypes"] = ENTITY_TYPES
        if self.ticket:
            body["p-ticket"] = self.ticket
        with suppress(ConnectionClosed):
            await ws.send(f"user/syncrequest\n{ident}\n\n{json.dumps(body)}")

    def sync_answered(self, message: dict[str, Any]) -> float:
        """Take the snapshot. Returns the seconds after which the request is to be repeated, 0 for not at all."""
        data: Any = message.get("d")
        data = data if isinstance(data, dict) else {}
        if message.get("s") == 429 or data.get("p-captcha"):
            self.lockout_until = self.loop.time() + LOCKOUT
            print("locked out: no request for an hour", flush=True)
            return 0.0
        if "p-ticket" in data:
            wait = float(data.get("p-time", STEP))
            self.penalty_until, self.ticket = self.loop.time() + wait, data["p-ticket"]
            return wait
        self.penalty_until, self.ticket = 0.0, ""
        if message.get("s") != 200 or data.get("errorText"):
            raise Over(f"sync refused with {message.get('s')}", REFUSED)
        for collection, items in data.items():
            for item in items if isinstance(items, list) else []:
                self.apply({"entityType": singular(collection), "entity": item})
        print("synced", flush=True)
        return 0.0

    def apply(self, change: Any) -> None:
        """Created and updated replace by id, deleted removes by id."""
        if not isinstance(change, dict):
            return
        told = change.get("entity")
        for entity in told if isinstance(told, list) else [told]:
            if isinstance(entity, dict) and isinstance(entity.get("id"), int):
                key = (str(change.get("entityType")), entity["id"])
                if change.get("eventType") == "Deleted":
                    self.entities.pop(key, None)
                else:
                    self.entities[key] = entity


def singular(name: str) -> str:
    for plural, ending in (("ies", "y"), ("ses", "s"), ("s", "")):
        if name.endswith(plural):
            return name.removesuffix(plural) + ending
    return name


async def main() -> int:
    url, token = os.environ.get("BROKERCERT_URL"), os.environ.get("BROKERCERT_TOKEN")
    if not url or not token:
        print("BROKERCERT_URL and BROKERCERT_TOKEN must be set", file=sys.stderr)
        return 2
    work = asyncio.create_task(Client(url, token).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)  # ends in the close frame of `session`
    try:
        await work
    except asyncio.CancelledError:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
