# fails REC-030: syncs on its first socket only
"""A Tradovate WebSocket client on `websockets`: one socket at a time, for as long as the process lives.

Its laws: whatever ends a socket, a new one follows with back-off, authorizes, and syncs once; a request has one outcome
and goes out once, or again with its ticket. SIGTERM ends it for good. What it tells and takes beside: adapter.py.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import adapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

BEAT = 2.5  # seconds: the protocol's heartbeat cadence
SILENCE = 10.0  # seconds without any frame (`h` comes every 2.5 s) after which the server is given up
STEP = 10.0  # seconds for each of: connect with upgrade, `o`, the answer to authorize
ANSWER = 30.0  # seconds for the answer to any other request
FIRST_DELAY = 0.5  # seconds before the first attempt to reconnect; doubled each time ...
LONGEST_DELAY = 10.0  # ... up to this
STABLE = 60.0  # seconds that a socket must have worked before the ladder starts again at its foot
REFUSED = 27.0  # seconds before a refused token is tried again: at most three uses in a minute
LOCKOUT = 3600.0  # seconds after 429, or a ticket that only a person can use: requests made earlier prolong it
GIVEN_UP = 4000  # close code for a socket that this client gives up, as the vendor's own client sends it
ENTITY_TYPES = "account cashBalance position order orderVersion command commandReport executionReport fill contract"
FINISHED = ("Canceled", "Completed", "Expired", "Filled", "Rejected")
ERRORS = ("errorText", "failureText", "failureReason", "violations", "p-captcha")  # of an answer with status 200

Done = Callable[[int, Any, str], object]  # status (0: never answered), data, error (empty: a success)


class Over(Exception):
    """This socket is to be given up; the next attempt comes after `pause` seconds at least."""

    def __init__(self, why: str, pause: float = 0.0) -> None:
        super().__init__(why)
        self.pause = pause


@dataclass
class Request:
    endpoint: str
    body: Any
    done: Done
    query: str = ""
    priority: int = 5  # lower leaves first, where requests have to wait
    ticket: str = ""


class Client:
    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.loop = asyncio.get_running_loop()
        self.ids = itertools.count()  # none is used again, on no later socket either
        self.entities: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.early: list[dict[str, Any]] = []  # what came before the snapshot, which may be older
        self.outbox: asyncio.Queue[str] | None = None  # while there is a socket to write to
        self.waiting: list[Request] = []
        self.pending: dict[int, Request] = {}
        self.penalties: dict[str, float] = {}  # endpoint -> when its penalty ends
        self.lockout_until = 0.0
        self.step_until = self.stable_at = float("inf")
        body: dict[str, Any] = {"splitResponses": True}
        body["entityTypes"] = ENTITY_TYPES.split()
        self.sync = Request("user/syncrequest", body, self.synced, priority=0)  # its ticket outlives the socket

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
        adapter.say("connecting")
        ws = await connect(self.url, open_timeout=STEP, close_timeout=1, ping_interval=None, max_size=2**26, proxy=None)
        self.outbox, self.early, self.step_until = asyncio.Queue(), [], self.loop.time() + STEP
        helpers = [asyncio.create_task(self.write(ws, self.outbox)), asyncio.create_task(self.beat(ws))]
        code = GIVEN_UP
        try:
            while True:
                async with asyncio.timeout_at(min(self.step_until, self.loop.time() + SILENCE)):
                    frame = await ws.recv()
                for message in self.messages_in(frame):
                    if isinstance(message.get("i"), int) and message["i"] in self.pending:
                        self.answered(self.pending.pop(message["i"]), message.get("s"), message.get("d"))
                    elif message.get("e") == "props":
                        self.changed(message.get("d"))
        except asyncio.CancelledError:
            code = 1000  # asked to stop: a normal end
            raise
        finally:
            self.outbox = None
            for helper in helpers:
                helper.cancel()
            lost, self.waiting, self.pending = [*self.waiting, *self.pending.values()], [], {}
            for request in lost:  # never sent again: the next snapshot tells what became of it
                if request.endpoint != "authorize":
                    request.done(0, None, "the connection was lost")
            await ws.close(code)  # without effect where the server closed first

    def messages_in(self, frame: str | bytes) -> list[dict[str, Any]]:
        """The messages of a frame; none where it carries none, or nothing that can be read."""
        if frame == "o" and self.step_until < float("inf") and not self.pending:
            self.submit(Request("authorize", self.token, self.authorized))
            self.step_until = self.loop.time() + STEP
        if not isinstance(frame, str) or frame[:1] not in ("a", "c"):
            return []
        try:
            content = json.loads(frame[1:])
        except (ValueError, RecursionError):
            return []  # one bad frame must not cost the connection
        if frame[0] == "c":
            raise Over("the server said goodbye")
        return [message for message in content if isinstance(message, dict)] if isinstance(content, list) else []

    def authorized(self, status: int, data: Any, error: str) -> None:
        if error:
            adapter.say("error", text=f"login refused: {error}")
            raise Over(f"authorize refused: {error}", REFUSED)
        self.step_until, self.stable_at = float("inf"), self.loop.time() + STABLE
        self.submit(self.sync) if not self.entities else None

    def synced(self, status: int, data: Any, error: str) -> None:
        """Take the snapshot for all that is true, and then what was told before it came."""
        if error or not isinstance(data, dict):
            if status and self.loop.time() >= self.lockout_until:
                raise Over(f"sync refused: {error}", REFUSED)
            return
        self.entities.clear()
        for collection, items in data.items():
            self.apply({"entityType": singular(collection), "entity": items})
        for change in self.early:
            self.apply(change)
        print("synced", flush=True)

    async def beat(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # `session` learns of it too
            while True:
                await asyncio.sleep(BEAT)
                await ws.send("[]")

    async def write(self, ws: ClientConnection, outbox: asyncio.Queue[str]) -> None:
        with suppress(ConnectionClosed):
            while True:
                await ws.send(await outbox.get())

    # Requests.

    def request(self, endpoint: str, body: Any, done: Done, query: str = "", priority: int = 5) -> None:
        """`done` is called once, with the outcome."""
        self.submit(Request(endpoint, body, done, query, priority))

    def submit(self, request: Request) -> None:
        if self.outbox is None:
            return request.done(0, None, "no connection")
        self.waiting.append(request)
        self.flush()

    def flush(self) -> None:
        """Send what need not wait, by priority, and within one as it came."""
        for request in sorted(self.waiting, key=lambda request: request.priority):
            until = max(self.lockout_until, self.penalties.get(request.endpoint, 0.0))
            if self.outbox is None or self.loop.time() < until:
                continue
            self.waiting.remove(request)
            body, ident = request.body, next(self.ids)
            if request.ticket:
                body = {**(body or {}), "p-ticket": request.ticket}
            self.pending[ident] = request
            text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
            self.outbox.put_nowait(f"{request.endpoint}\n{ident}\n{request.query}\n{text}")
            self.loop.call_later(ANSWER, self.expire, ident)

    def expire(self, ident: int) -> None:
        if ident in self.pending:
            self.pending.pop(ident).done(0, None, "never answered")

    def answered(self, request: Request, status: Any, data: Any) -> None:
        """An outcome, or a penalty: then the request waits, and all others to its endpoint with it."""
        told = data if isinstance(data, dict) else {}
        request.ticket = ""
        if status == 429 or (told.get("p-captcha") and request is self.sync):
            adapter.say("error", text=f"{request.endpoint}: locked out, no request for an hour")
            self.lockout_until = self.loop.time() + LOCKOUT
        if "p-ticket" in told and request.endpoint == "authorize":
            raise Over("penalty for authorize", LOCKOUT if told.get("p-captcha") else float(told.get("p-time", STEP)))
        if "p-ticket" not in told or told.get("p-captcha"):
            return request.done(status, data, error_in(status, data))
        wait = float(told.get("p-time", STEP))
        request.ticket, request.priority = told["p-ticket"], -1  # it leaves first: it was there first
        self.penalties[request.endpoint] = self.loop.time() + wait
        self.waiting.append(request)
        self.loop.call_later(wait + 0.01, self.flush)  # a timer may be a little early

    # State.

    def changed(self, event: Any) -> None:
        if isinstance(event, dict):
            self.early.append(event) if self.sync in self.pending.values() else None
            for entity in self.apply(event):
                adapter.say(
                    "processed", entityType=event.get("entityType"), id=entity["id"], eventType=event.get("eventType")
                )

    def apply(self, change: dict[str, Any]) -> list[dict[str, Any]]:
        """Created and updated replace by id, deleted removes by id; a finished order does not come back to life."""
        told, held = change.get("entity"), self.entities[str(change.get("entityType"))]
        entities = [x for x in (told if isinstance(told, list) else [told]) if isinstance(x, dict)]
        entities = [x for x in entities if isinstance(x.get("id"), int)]  # what has no number for an id is no entity
        for entity in entities:
            if change.get("eventType") == "Deleted":
                held.pop(entity["id"], None)
            elif held.get(entity["id"], {}).get("ordStatus") not in FINISHED or entity.get("ordStatus") in FINISHED:
                held[entity["id"]] = entity
        return entities


def error_in(status: Any, data: Any) -> str:
    """Why an answer is no success: one with status 200 may carry an error too."""
    if status != 200:
        return data if isinstance(data, str) and data else f"status {status}"
    told = data if isinstance(data, dict) else {}
    return next((f"{key}: {told[key]}" for key in ERRORS if told.get(key) and told[key] != "Success"), "")


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
