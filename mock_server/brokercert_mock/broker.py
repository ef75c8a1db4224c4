"""The Tradovate mock broker: accounts, tokens, sessions and events behind one port, scriptable by rules.

It is a broker, not a list of canned replies: answers come from a seeded state, and rules only change how it answers.
Everything that it does is told to a `Recorder`; it knows nothing of who records. One event loop, many brokers.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from brokercert_mock import frames, reads, rest
from brokercert_mock.connection import Connection
from brokercert_mock.frames import ClientRequest
from brokercert_mock.recorder import NullRecorder, Recorder
from brokercert_mock.rules import OnEvents, OnOpen, OnRequest, OnUpgrade, Rule, RuleBook
from brokercert_mock.seed import Entity, seeded
from brokercert_mock.settings import Settings
from brokercert_mock.shell import Shell
from brokercert_mock.sync import snapshot, subscription_of
from brokercert_mock.tokens import Token, Tokens

EARLY = 0.05  # seconds: a retry that comes this much before its penalty's end is on time
BURST_TICK = 0.01  # seconds between the batches of a stream of events


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the main user logs in with."""

    name: str
    password: str
    app_id: str
    app_version: str
    cid: int
    sec: str
    device_id: str
    user_id: int
    accounts: tuple[int, ...]


class TradovateBroker:
    """One broker on one port.

    `clock` gives seconds (None: the running loop's). `wall_start` is the calendar time at which it starts; tokens are
    issued with an end in that calendar. The same seed gives the same state, tokens and events.
    """

    websocket_path = "/v1/websocket"

    def __init__(
        self,
        settings: Settings | None = None,
        recorder: Recorder | None = None,
        seed: int = 1,
        clock: Callable[[], float] | None = None,
        wall_start: datetime.datetime | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.recorder: Recorder = recorder or NullRecorder()
        self.loop = asyncio.get_running_loop()
        self.clock = clock or self.loop.time
        self.rng = random.Random(seed)
        self.tokens = Tokens(
            self.rng, self.clock, wall_start or datetime.datetime.now(datetime.UTC), self.recorder.secret
        )
        self.db = seeded(self.rng, lambda: self.tokens.stamp(self.clock()), self.settings.snapshot_orders)
        self.credentials = self._make_credentials()
        self.history: dict[int, Connection] = {}
        self.script_errors: list[BaseException] = []
        self._book = RuleBook()
        self._shells: set[Shell] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self._port = 0
        self._host = "127.0.0.1"
        self._changed = asyncio.Event()
        self._beats: Literal["auto", "always", "off"] = "auto"
        self._quiet = False
        self._stream: asyncio.Task[None] | None = None
        self._before: dict[int, list[Any]] = {}  # messages that go before the next answer, in its frame
        self._penalties: dict[str, tuple[float, str]] = {}
        self._turn = 0
        self._blocked: socket.socket | None = None

    def _make_credentials(self) -> Credentials:
        text = "".join(self.rng.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(40))
        password, secret = f"pw-{text[:12]}", f"sec-{text[12:]}"
        self.recorder.secret("password", password)
        self.recorder.secret("sec", secret)
        return Credentials(
            name="cert-user",
            password=password,
            app_id="brokercert",
            app_version="1.0",
            cid=8,
            sec=secret,
            device_id="brokercert-device",
            user_id=self.db.user_id,
            accounts=tuple(self.db.accounts),
        )

    # Life.

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen; port 0 takes a free one."""
        self._host, self._tls = host, tls
        self._server = await self.loop.create_server(lambda: Shell(self), host, port, ssl=tls)
        self._port = self._server.sockets[0].getsockname()[1]
        self.call_later(self.settings.heartbeat_every, self._beat)
        self.call_later(self.settings.event_every, self._market)

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://{self._name()}:{self._port}{self.websocket_path}"

    @property
    def rest_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._name()}:{self._port}/v1"

    def _name(self) -> str:
        return "localhost" if self._tls else self._host

    async def close(self) -> None:
        """Stop listening and end what is left, waiting for no client. Tells of rules that were never triggered."""
        if self._stream is not None:
            self._stream.cancel()
        for timer in list(self._timers):
            timer.cancel()
        self._timers.clear()
        if self._server is not None:
            self._server.close()
        if self._blocked is not None:
            self._blocked.close()
        for rule in self._book.rules:
            if rule.name and not rule.applied:
                self.recorder.rule_unused(self.clock(), rule.name)
        for shell in list(self._shells):
            shell.abort()
        self._server = None

    async def refuse_port(self) -> None:
        """From here on connections are truly refused: the port is bound, nobody listens. Live ones go on."""
        requested = self.clock()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._blocked = socket.socket()
        self._blocked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._blocked.bind((self._host, self._port))
        self.recorder.fault(requested, self.clock(), "port-refused", 0, "")

    async def accept_again(self) -> None:
        """Listen on the same port again."""
        requested = self.clock()
        if self._blocked is not None:
            self._blocked.close()
            self._blocked = None
        self._server = await self.loop.create_server(lambda: Shell(self), self._host, self._port, ssl=self._tls)
        self.recorder.fault(requested, self.clock(), "port-open", 0, "")

    # Rules.

    def on(
        self,
        endpoint: str,
        *,
        nth: int | None = None,
        times: int | None = None,
        nth_on_connection: int | None = None,
    ) -> OnRequest:
        """A rule for requests to one endpoint (in any letter case), over socket or REST."""
        name = endpoint.lower().lstrip("/")
        return OnRequest(self._book, Rule("request", name, nth, times, nth_on_connection))

    def on_open(self, *, nth: int | None = None, times: int | None = None) -> OnOpen:
        """A rule for the open frame `o`."""
        return OnOpen(self._book, Rule("open", "", nth, times))

    def on_upgrade(self, *, nth: int | None = None, times: int | None = None) -> OnUpgrade:
        """A rule for upgrade requests."""
        return OnUpgrade(self._book, Rule("upgrade", "", nth, times))

    def on_events(self, *, next: int | None = None) -> OnEvents:
        """A rule for the next so many events, or for all."""
        return OnEvents(self._book, Rule("event", "", None, next))

    # Connections.

    @property
    def connections(self) -> list[Connection]:
        """Those whose TCP connection stands."""
        return [shell.connection for shell in self._shells]

    async def wait(self, condition: Callable[[TradovateBroker], bool], within: float) -> bool:
        """Until `condition(self)` holds, looked at after everything that happens; False after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                while not condition(self):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return bool(condition(self))
        return True

    def changed(self) -> None:
        self._changed.set()

    def call_later(self, delay: float, act: Callable[[], Any]) -> asyncio.TimerHandle:
        """A timer that dies with the broker."""

        def run() -> None:
            self._timers.discard(handle)
            with self.guarding():
                act()

        handle = self.loop.call_later(delay, run)
        self._timers.add(handle)
        return handle

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """The boundary to asyncio's callbacks: a bug of the broker or of a rule is kept, for the runner to tell."""
        try:
            yield
        except Exception as error:
            self.script_errors.append(error)

    # Tokens.

    def issue_token(self, life: float | None = None) -> Token:
        """A token of the main user, ready to use; `life` in seconds."""
        return self.tokens.issue(self.credentials.user_id, self.settings.token_life if life is None else life)

    def expire(self, token: Token) -> None:
        token.until = self.clock()

    def revoke(self, token: Token) -> None:
        token.revoked = True

    # What the shell tells.

    def on_accept(self, shell: Shell) -> Connection:
        connection = Connection(self, len(self.history) + 1, shell)
        self.history[connection.id] = connection
        self._shells.add(shell)
        self.recorder.accepted(connection.accepted_at, connection.id)
        self.changed()
        return connection

    def on_lost(self, shell: Shell) -> None:
        self._shells.discard(shell)
        self.changed()

    def on_upgrade_request(self, conn: Connection) -> Rule | None:
        rule = self._book.match("upgrade", conn.id)
        if rule is not None:
            self._tell(rule, conn)
        return rule

    def on_upgraded(self, conn: Connection, upgrade_rule: Rule | None) -> None:
        name = upgrade_rule.name if upgrade_rule else ""
        if name == "upgrade-then-close":
            conn.fin()
            return
        if name == "shutdown-at-once":
            assert upgrade_rule is not None
            conn.send_text(frames.OPEN)
            conn.send_event("shutdown", {"reasonCode": upgrade_rule.params["reason"]})
            conn.close(1001, "Shutdown")
            return
        self._arm_deadlines(conn)
        rule = self._book.match("open", conn.id)
        if rule is None:
            self._send_open(conn)
            return
        self._tell(rule, conn)
        if rule.hold_state is not None:
            self._withhold(rule, conn, "o", lambda: self._send_open(conn))
        elif rule.name == "open-after":
            self.call_later(rule.params["seconds"], lambda: self._send_open(conn))

    def _send_open(self, conn: Connection) -> None:
        conn.send_text(frames.OPEN)
        conn.open_sent_at = self.clock()
        self.changed()

    def _arm_deadlines(self, conn: Connection) -> None:
        deadline = self.settings.auth_deadline
        if deadline is not None:
            self.call_later(deadline, lambda: None if conn.authorized_at is not None else conn.close(1000, "Bye"))
        if self.settings.idle_limit is not None:
            self._watch_idle(conn, self.settings.idle_limit)

    def _watch_idle(self, conn: Connection, limit: float) -> None:
        if not conn.is_open:
            return
        left = conn.last_received_at + limit - self.clock()
        if left <= 0:
            conn.close(1000, "Bye")
        else:
            self.call_later(left, lambda: self._watch_idle(conn, limit))

    # Requests.

    def on_socket_request(self, conn: Connection, request: ClientRequest) -> None:
        """A request on a socket: the rule for it, or the broker's own answer."""

        def finish() -> None:
            status, data = self._perform(conn, request)
            self._reply(conn, request, status, data)

        self._under_rules(conn, request.endpoint, finish, lambda status, data: self._reply(conn, request, status, data))

    def on_rest_request(
        self,
        conn: Connection,
        method: str,
        target: str,
        headers: dict[str, str],
        body: str,
        at: float,
        respond: Callable[[int, str, str], None],
    ) -> None:
        """A REST request; `respond(status, body, content type)` sends its answer."""
        endpoint = rest.endpoint_of(target)[0]

        def reply(status: int, data: Any) -> None:
            respond(status, *rest.serialize(data))

        self._under_rules(conn, endpoint, lambda: reply(*rest.answer(self, target, headers, body)), reply)

    def _under_rules(
        self, conn: Connection, endpoint: str, finish: Callable[[], None], reply: Callable[[int, Any], None]
    ) -> None:
        rule = self._book.match("request", conn.id, endpoint)
        if rule is None:
            finish()
            return
        self._tell(rule, conn)
        match rule.name:
            case "refuse" | "answer-with":
                reply(rule.params["status"], rule.params["data"])
                if endpoint == "authorize" and rule.params["status"] == 401 and self.settings.bad_token_closes:
                    conn.close(1000, "Bye")
            case "ticket":
                reply(200, self._penalty(endpoint, rule.params["p_time"], rule.params["captcha"]))
            case "hold":
                self._withhold(rule, conn, endpoint, finish)
            case "answer-after":
                self.call_later(rule.params["seconds"], finish)
            case "last-in-batch":
                self._before[conn.id] = rule.params["messages"]
                finish()
                del self._before[conn.id]
            case "after-events":
                conn.send_messages(rule.params["messages"])
                finish()
            case "answer-twice":
                finish()
                finish()
            case "then":
                finish()
                assert rule.also is not None
                rule.also(conn)
            case "instead":
                assert rule.also is not None
                rule.also(conn)
            case _:
                return  # never answered

    def _withhold(self, rule: Rule, conn: Connection, what: str, go: Callable[[], None]) -> None:
        hold = rule.hold_state
        assert hold is not None
        if hold.released:
            go()
            return
        self.recorder.withheld(self.clock(), what, conn.id)

        def release() -> None:
            self.recorder.released(self.clock(), what, conn.id)
            go()

        hold.keep(conn, release)
        self.changed()

    def _tell(self, rule: Rule, conn: Connection) -> None:
        self.recorder.rule(self.clock(), rule.name, conn.id, rule.detail)

    def _penalty(self, endpoint: str, p_time: float, captcha: bool) -> dict[str, Any]:
        ticket = "".join(self.rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(24))
        self.recorder.secret("p-ticket", ticket)
        if not captcha:
            self._penalties[endpoint] = (self.clock() + p_time, ticket)
        data: dict[str, Any] = {"p-ticket": ticket, "p-time": p_time}
        return data | {"p-captcha": True} if captcha else data

    def _perform(self, conn: Connection, request: ClientRequest) -> tuple[int, Any]:
        """Do what a request asks, and give its answer."""
        penalty = self._penalties.get(request.endpoint)
        if penalty is not None:
            left = penalty[0] - self.clock()
            if left <= EARLY:
                del self._penalties[request.endpoint]
            elif self.settings.early_retry == "ticket":
                return 200, self._penalty(request.endpoint, left, False)
        if request.endpoint == "authorize":
            return self._authorize(conn, request)
        if conn.authorized_at is None and self.settings.unauthenticated == "401":
            return 401, self.settings.denied_text
        if request.endpoint == "user/syncrequest":
            return self._sync(conn, request)
        return self.answer_endpoint(request.endpoint, request.query, request.body)

    def _authorize(self, conn: Connection, request: ClientRequest) -> tuple[int, Any]:
        token = self.tokens.find(request.body if isinstance(request.body, str) else request.text)
        if token is None:
            if self.settings.bad_token_closes:
                self.call_later(0, lambda: conn.close(1000, "Bye"))
            return 401, self.settings.bad_token_text
        conn.token = token
        conn.authorized_at = self.clock()
        return 200, None

    def _sync(self, conn: Connection, request: ClientRequest) -> tuple[int, Any]:
        if conn.subscription is not None and self.settings.second_sync != "answer":
            if self.settings.second_sync == "close":
                self.call_later(0, lambda: conn.close(1000, "Bye"))
            return 400, "Bad request"
        conn.sync_body = request.body
        conn.subscription = subscription_of(request.body, self.settings)
        conn.synced_at = self.clock()
        return 200, snapshot(self.db, conn.subscription)

    def answer_endpoint(self, endpoint: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """An endpoint that socket and REST share."""
        if endpoint == "auth/me":
            return 200, {"userId": self.db.user_id, "name": self.credentials.name, "fullName": "Certification User"}
        found = reads.read(self.db, endpoint, query, body)
        if found is not None:
            return found
        text = f"Not found: {endpoint}"
        return 404, f'"{text}"' if self.settings.not_found_quoted else text

    def _reply(self, conn: Connection, request: ClientRequest, status: int, data: Any) -> None:
        message = frames.answer(status, request.id, data)
        conn.send_messages([*self._before.get(conn.id, ()), message])
        self.changed()

    # Events.

    def heartbeats(self, mode: Literal["auto", "always", "off"]) -> None:
        """`h`: when nothing else was sent, always at its cadence, or not at all."""
        self._beats = mode

    def quiet(self, on: bool) -> None:
        """No plain events any more, or again."""
        self._quiet = on

    def emit(self, kind: str, event_type: str, entity: Entity) -> None:
        """A props event to every synced socket that asked for such."""
        for conn in self.connections:
            if conn.is_synced and conn.subscription and conn.subscription.wants(self.db, kind, entity):
                self._send_event(conn, frames.props(kind, event_type, entity))

    def _send_event(self, conn: Connection, message: dict[str, Any]) -> None:
        rule = self._book.match("event", conn.id)
        if rule is not None:
            self._tell(rule, conn)
            if rule.name == "event-dropped":
                return
        conn.send_messages([message])
        if rule is not None and rule.name == "event-twice":
            conn.send_messages([message])

    def market_event(self) -> None:
        """One plain event, of the next type that anybody subscribed to, to everybody who did."""
        for conn in self.connections:
            if not conn.is_synced or conn.subscription is None:
                continue
            message = self._plain_event(conn)
            if message is not None:
                self._send_event(conn, message)

    def _plain_event(self, conn: Connection) -> dict[str, Any] | None:
        """An entity said once more, with a new time stamp: schema-true, and without any consequence."""
        assert conn.subscription is not None
        candidates = [
            (kind, entity)
            for kind in ("cashBalance", "position", "marginSnapshot", "account", "order", "user", "contract")
            for entity in self.db.of(kind)
            if conn.subscription.wants(self.db, kind, entity)
        ]
        if not candidates:
            return None
        self._turn += 1
        kind, entity = candidates[self._turn % len(candidates)]
        if "timestamp" in entity and kind != "order":
            entity["timestamp"] = self.tokens.stamp(self.clock())
        return frames.props(kind, "Updated", entity)

    def background(self, rate: float) -> None:
        """A stream of plain events, `rate` a second to each synced socket; 0 ends it."""
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if rate > 0:
            self._stream = asyncio.create_task(self._stream_events(rate))

    async def _stream_events(self, rate: float) -> None:
        began, sent = self.clock(), 0
        while True:
            due = int((self.clock() - began) * rate)
            with self.guarding():
                while sent < due:
                    self.market_event()
                    sent += 1
            await asyncio.sleep(max(BURST_TICK, 1 / rate))

    def _beat(self) -> None:
        every = self.settings.heartbeat_every
        now = self.clock()
        nearest = every
        for conn in self.connections:
            if not conn.is_open or conn.open_sent_at is None or self._beats == "off":
                continue
            due = (conn.last_sent_at if self._beats == "auto" else conn.last_beat_at) + every
            if due <= now + 0.001:  # a timer's resolution
                conn.send_text(frames.HEARTBEAT)
                conn.last_beat_at = now
                due = now + every
            nearest = min(nearest, due - now)
        self.call_later(max(nearest, 0.01), self._beat)

    def _market(self) -> None:
        if not self._quiet:
            self.market_event()
        self.call_later(self.settings.event_every, self._market)

    def state(self) -> dict[str, dict[int, Entity]]:
        """All entities, by type and id."""
        return {kind: dict(entities) for kind, entities in self.db.entities.items() if entities}
