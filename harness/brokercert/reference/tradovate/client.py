"""The shell of the reference client: sockets, timers and the reconnect loop; every decision is the session's.

client = ReferenceClient(env, print)
exit_code = await client.run()        # until `await client.stop()`
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from brokercert.reference.resolve import address_of
from brokercert.reference.rest import RestError
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.commands import Commands, Reports
from brokercert.reference.tradovate.config import Config
from brokercert.reference.tradovate.requests import Lockout, Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.state import state_of
from brokercert.reference.tradovate.states import Happening
from brokercert.reference.tradovate.store import Store
from brokercert.reference.tradovate.tokens import Tokens

NORMAL = 1000
GIVEN_UP = 4000  # the code with which the official client leaves a silent server (TP §10)
INSTANT = 1e-6  # seconds: the least wait; less than its resolution would not turn a clock that only timers turn
STAGGER = 0.1  # seconds between the first connects of several shards


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ended: why, after how many seconds of being live, and with which close code of the server's."""

    how: Happening | str
    lasted: float = 0.0
    code: int | None = None


class ReferenceClient:
    """A client with one socket per shard, each with its own reconnect loop."""

    session_class: type[Session] = Session
    backoff_class: type[Backoff] = Backoff
    tokens_class: type[Tokens] = Tokens
    store_class: type[Store] = Store

    def __init__(
        self,
        env: Mapping[str, str],
        output: Callable[[str], None],
        *,
        on_event: Callable[[str, Any], None] | None = None,
        wall: Callable[[], float] = time.time,
        seed: int | None = None,
    ) -> None:
        """`env`: the BROKERCERT_* variables. `output` takes lines without any secret. Raises `ConfigError`."""
        self.config = Config.from_environment(env)
        self.stores = [self.store_class() for _ in range(self.config.shards)]
        self._output = output
        self._on_event = on_event
        self.reports = Reports(output, self.config.level)
        self.commands = Commands(self, self.reports)
        self._wall = wall
        self._rng = random.Random(seed)
        self._stop = asyncio.Event()
        self.lockout = Lockout(self.config.lockout)
        self._sessions: dict[int, Session] = {}
        self._wake: dict[int, asyncio.Event] = {}
        self._tls = ssl.create_default_context(cafile=self.config.ca) if self.config.ca else None

    async def run(self) -> int:
        """Stay connected until told to stop. 0."""
        loop = asyncio.get_running_loop()
        self.tokens = self.tokens_class(self.config, self._wall, loop.time, self._tls)
        async with asyncio.TaskGroup() as group:
            lanes = [group.create_task(self._lane(shard)) for shard in range(self.config.shards)]
            renewal = group.create_task(self._keep_token())
            await asyncio.gather(*lanes)
            renewal.cancel()
        return 0

    async def stop(self) -> None:
        """Log off: close what is open, and do not come back."""
        self._stop.set()

    async def request(
        self, endpoint: str, *, query: str = "", body: Any = None, priority: int = 5, shard: int = 0
    ) -> Outcome:
        """Send a request on a live socket and wait for its outcome. Raises ConnectionError where none is live."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome, _now: float) -> None:
            if not future.done():
                future.set_result(outcome)

        self.submit(endpoint, done, query=query, body=body, priority=priority, shard=shard)
        return await future

    def submit(
        self,
        endpoint: str,
        done: Callable[[Outcome, float], None],
        *,
        query: str = "",
        body: Any = None,
        priority: int = 5,
        shard: int = 0,
    ) -> None:
        """The same without waiting: `done` is called once with the outcome. Raises ConnectionError, QueueFull."""
        session = self._sessions.get(shard)
        if session is None or session.live_since is None:
            raise ConnectionError("no live connection")
        now = asyncio.get_running_loop().time()
        session.request(endpoint, done, now=now, query=query, body=body, priority=priority)
        self._wake[shard].set()

    async def command(self, line: Mapping[str, Any]) -> None:
        """A command of the process protocol (docs/subject-protocol.md), for a client that runs in a program."""
        await self.commands.on_command(line)

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """What it believes, as it is told on request: entities by type."""
        return state_of(self.stores)

    def on_event(self, kind: str, data: Any) -> None:
        """A server's event was taken."""
        self.reports.processed(kind, data)
        if self._on_event is not None:
            self._on_event(kind, data)

    def sync_body(self, shard: int) -> dict[str, Any]:
        body: dict[str, Any] = {"splitResponses": True, "entityTypes": list(self.config.entity_types)}
        if self.config.shards > 1:
            body["shardingExpression"] = {
                "expressionType": "modAccountId",
                "divisor": self.config.shards,
                "remainder": shard,
            }
        return body

    # One lane: connect, live, wait, again.

    async def _lane(self, shard: int) -> None:
        backoff = self.backoff_class(
            self._rng,
            first=self.config.first_delay,
            longest=self.config.longest_delay,
            stable_after=self.config.stable_after,
        )
        refusals = 0
        await self._pause(self.opens_after(shard))
        while not self._stop.is_set():
            end = await self._attempt(shard)
            if self._stop.is_set():
                return
            refusals = refusals + 1 if end.how is Happening.REFUSED else 0
            delay = self.delay_after(end, backoff, refusals)
            if delay is None:
                self._output("staying away")
                await self._stop.wait()
                return
            self._output(f"next attempt in {delay:.1f} s")
            await self._pause(delay)

    def opens_after(self, shard: int) -> float:
        """Seconds from the start until this shard's first attempt."""
        return STAGGER * shard

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        """Seconds until the next attempt; None: there is none. `refusals`: how many tokens in a row were refused."""
        delay = backoff.next_delay(end.lasted)
        until = max(self.lockout.until, self.lockout.resting.get("authorize", 0.0))
        locked = until - asyncio.get_running_loop().time()
        if locked > 0:
            return max(delay, locked)
        if refusals > 1 or (refusals and not self.tokens.can_log_in):
            return max(delay, self.config.refused_delay)
        return delay

    async def _attempt(self, shard: int) -> End:
        """One connection from beginning to end."""
        try:
            token = await self.tokens.get()
            if self._stop.is_set():
                return End("stopped")
            self.reports.say("connecting")
            async with asyncio.timeout(self.config.connect_within):
                ws = await self.open_socket()
        except InvalidStatus as error:
            status = error.response.status_code
            self._output(f"the upgrade was answered with {status}")
            if status == 429:
                self.lockout.begin(asyncio.get_running_loop().time())
            return End("lost")
        except (OSError, TimeoutError, InvalidHandshake, WebSocketException, RestError) as error:
            self._output(f"could not connect: {type(error).__name__}: {_plain(error)}")
            if isinstance(error, RestError):
                self.reports.say("error", text=f"no token: {_plain(error)}")
            return End("lost")
        try:
            return await self._live(shard, ws, token)
        finally:
            await self.leave(ws)

    async def open_socket(self) -> ClientConnection:
        """Every option explicit: the library's defaults (proxies, pings, compression, 1 MiB) are not this client's."""
        return await connect(
            self.config.url,
            **await self._address(),
            ssl=(self._tls or True) if self.config.url.startswith("wss") else None,
            proxy=None,
            compression=None,
            ping_interval=None,
            open_timeout=None,
            close_timeout=self.config.close_within,
            max_size=self.config.largest_message,
        )

    async def _address(self) -> dict[str, Any]:
        """Where the URL's host is, by the given name server; nothing where the system is to find out."""
        parts = urlsplit(self.config.url)
        if not self.config.dns or parts.hostname is None:
            return {}
        host = await address_of(parts.hostname, self.config.dns, self._rng)
        return {"host": host, "port": parts.port or (443 if parts.scheme == "wss" else 80)}

    async def _live(self, shard: int, ws: ClientConnection, token: str) -> End:
        loop = asyncio.get_running_loop()
        session = self.session_class(
            self.config, token, self.sync_body(shard), self.stores[shard], loop.time(), self.on_event, self.lockout
        )
        self._sessions[shard] = session
        wake = self._wake[shard] = asyncio.Event()
        how: Happening | str = "lost"
        code: int | None = None
        try:
            await self.pump(session, ws, wake)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            self._output(f"connection lost: {_plain(error)}")
        finally:
            del self._sessions[shard], self._wake[shard]
        if session.over is not None:
            how = session.over.how
            self._output(session.over.text)
            if how is Happening.REFUSED:
                self.reports.say("error", text=session.over.text)
                self.tokens.refuse(token)
        session.abandon(loop.time())
        return End(how, loop.time() - session.live_since if session.live_since is not None else 0.0, code)

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        """Between socket and session, until either ends."""
        loop = asyncio.get_running_loop()
        reading = asyncio.create_task(ws.recv())
        stopping = asyncio.create_task(self._stop.wait())
        waking = asyncio.create_task(wake.wait())
        try:
            while session.over is None:
                timeout = session.due() - loop.time()
                timeout = max(timeout, INSTANT) if timeout > 0 else 0.0
                await asyncio.wait({reading, stopping, waking}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    session.stop(loop.time())
                    return
                if reading.done():
                    message = reading.result()
                    reading = asyncio.create_task(ws.recv())
                    if isinstance(message, str):  # the protocol is text; binary is ignored
                        session.receive(message, loop.time())
                if waking.done():
                    wake.clear()
                    waking = asyncio.create_task(wake.wait())
                session.tick(loop.time())
                while session.notices:
                    self.reports.say("error", text=session.notices.pop(0))
                for text in session.take():
                    await ws.send(text)
        finally:
            for task in (reading, stopping, waking):
                task.cancel()
            await asyncio.gather(reading, stopping, waking, return_exceptions=True)

    async def leave(self, ws: ClientConnection) -> None:
        """A close frame, and the TCP connection ended: at once where the server does not answer in time."""
        await ws.close(NORMAL if self._stop.is_set() else GIVEN_UP)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    async def _keep_token(self) -> None:
        """Renew before the end, while there is one to renew."""
        while True:
            await asyncio.sleep(self.tokens.renew_in())
            try:
                await self.tokens.renew()
                self._output("token renewed")
            except RestError as error:
                self._output(f"token not renewed: {_plain(error)}")
                await asyncio.sleep(30)


def _plain(error: BaseException) -> str:
    """An error's text on one line; none of ours carries a secret."""
    return " ".join(str(error).split())[:200]
