"""A Tradovate WebSocket client on `websockets`: one socket at a time, for as long as the process lives.

Its law: whatever ends a socket, a new one follows with back-off, authorizes, and syncs once. SIGTERM ends it for good.
What it asks: outbox.py. What it believes: state.py. What it tells brokercert and takes from it: adapter.py.
"""

import asyncio
import json
import os
import random
import signal
import sys
from contextlib import suppress
from typing import Any

import adapter
from outbox import LOCKOUT, LOCKS_OUT, Done, Outbox, Request, penalty_in
from state import State
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

BEAT = 2.5  # seconds: the protocol's heartbeat cadence
SILENCE = 10.0  # seconds without any frame (`h` comes every 2.5 s) after which the server is given up
STEP = 10.0  # seconds for each of: connect with upgrade, `o`, the answer to authorize
FIRST_DELAY = 0.5  # seconds before the first attempt to reconnect; doubled each time ...
LONGEST_DELAY = 10.0  # ... up to this
STABLE = 60.0  # seconds that a socket must have worked before the ladder starts again at its foot
REFUSED = 27.0  # seconds before a refused token is tried again: at most three uses in a minute
GIVEN_UP = 4000  # close code for a socket that this client gives up, as the vendor's own client sends it
ENTITY_TYPES = "account cashBalance position order orderVersion command commandReport executionReport fill contract"
NEVER = float("inf")


class Over(Exception):
    """This socket is to be given up; the next attempt comes after `pause` seconds at least."""

    def __init__(self, why: str, pause: float = 0.0) -> None:
        super().__init__(why)
        self.pause = pause


class Client:
    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.loop = asyncio.get_running_loop()
        self.outbox, self.state = Outbox(), State()
        self.early: list[dict[str, Any]] = []  # what came before the snapshot, which may be older
        self.opened = False
        self.step_until = self.stable_at = NEVER
        body: dict[str, Any] = {"splitResponses": True}
        body["entityTypes"] = ENTITY_TYPES.split()
        self.sync = Request("user/syncrequest", body, self.synced, priority=0)  # its ticket outlives the socket

    async def run(self) -> None:
        """Socket after socket, until cancelled."""
        attempts = 0
        while True:
            why, pause = "closed", 0.0
            self.stable_at = NEVER
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
            delay = max(ladder, pause, self.outbox.locked_until - self.loop.time())
            attempts = min(attempts + 1, 10)  # far beyond the cap, and short of an overflow
            print(f"{why}; next attempt in {delay:.1f} s", flush=True)
            await asyncio.sleep(delay)

    async def session(self) -> None:
        """One socket, from the connection to its end. Its helpers end with it."""
        adapter.say("connecting")
        ws = await connect(self.url, open_timeout=STEP, close_timeout=1, ping_interval=None, max_size=2**26, proxy=None)
        texts: asyncio.Queue[str] = asyncio.Queue()
        self.opened, self.early, self.step_until = False, [], self.loop.time() + STEP
        self.outbox.send = texts.put_nowait
        helpers = [asyncio.create_task(write(ws, texts)), asyncio.create_task(beat(texts))]
        code = GIVEN_UP
        try:
            while True:
                async with asyncio.timeout_at(min(self.step_until, self.loop.time() + SILENCE)):
                    frame = await ws.recv()
                self.receive(frame)
        except asyncio.CancelledError:
            code = 1000  # asked to stop: a normal end
            raise
        finally:
            for helper in helpers:
                helper.cancel()
            self.outbox.close()
            await ws.close(code)  # without effect where the server closed first

    def receive(self, frame: str | bytes) -> None:
        if frame == "o" and not self.opened:
            self.opened, self.step_until = True, self.loop.time() + STEP
            self.outbox.submit(Request("authorize", self.token, self.authorized, once=True))
        if not isinstance(frame, str) or frame[:1] not in ("a", "c"):
            return
        try:
            content = json.loads(frame[1:])
        except (ValueError, RecursionError):
            return  # one bad frame must not cost the connection
        if frame[0] == "c":
            raise Over("the server said goodbye")
        for message in content if isinstance(content, list) else []:
            told = message if isinstance(message, dict) else {}
            if isinstance(told.get("i"), int) and told["i"] in self.outbox.pending:
                self.outbox.answered(told["i"], told.get("s"), told.get("d"))
            elif told.get("e") == "props" and isinstance(told.get("d"), dict):
                self.changed(told["d"])

    def authorized(self, status: int, data: Any, error: str) -> None:
        told = data if isinstance(data, dict) else {}
        if told.get("p-captcha"):
            self.outbox.lock_out("authorize")
        if status in LOCKS_OUT or "p-ticket" in told:
            raise Over("penalty for authorize", penalty_in(told))
        if error and status:  # without an answer the socket is over anyway
            adapter.say("error", text=f"login refused: {error}")
            raise Over(f"authorize refused: {error}", REFUSED)
        if not error:
            self.step_until, self.stable_at = NEVER, self.loop.time() + STABLE
            self.outbox.submit(self.sync)

    def synced(self, status: int, data: Any, error: str) -> None:
        if isinstance(data, dict) and data.get("p-captcha"):
            self.outbox.lock_out(self.sync.endpoint)
        if not error and isinstance(data, dict):
            self.state.replace(data, self.early)
            print("synced", flush=True)
        elif status and self.loop.time() >= self.outbox.locked_until:
            raise Over(f"sync refused: {error}", REFUSED)

    def changed(self, change: dict[str, Any]) -> None:
        if self.sync in self.outbox.pending.values():
            self.early.append(change)
        for entity in self.state.apply(change):
            adapter.say(
                "processed", entityType=change.get("entityType"), id=entity["id"], eventType=change.get("eventType")
            )

    def request(self, endpoint: str, body: Any, done: Done, query: str = "", priority: int = 5) -> None:
        """`done` is called once, with the outcome. Without a socket that is logged in, that is at once."""
        if self.step_until == NEVER:
            self.outbox.submit(Request(endpoint, body, done, query, priority))
        else:
            done(0, None, "no connection")


async def beat(texts: asyncio.Queue[str]) -> None:
    while True:
        await asyncio.sleep(BEAT)
        texts.put_nowait("[]")


async def write(ws: ClientConnection, texts: asyncio.Queue[str]) -> None:
    with suppress(ConnectionClosed):  # `session` learns of it too
        while True:
            await ws.send(await texts.get())


async def main() -> int:
    url, token = os.environ.get("BROKERCERT_URL"), os.environ.get("BROKERCERT_TOKEN")
    if not url or not token:
        print("BROKERCERT_URL and BROKERCERT_TOKEN must be set", file=sys.stderr)
        return 2
    client = Client(url, token)
    work = asyncio.create_task(client.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)  # ends in the close frame of `session`
    listening = asyncio.create_task(adapter.listen(client, work.cancel))
    with suppress(asyncio.CancelledError):
        await work
    listening.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
