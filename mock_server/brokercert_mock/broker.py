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
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brokercert_mock import frames
from brokercert_mock.answering import Answering
from brokercert_mock.connection import Connection
from brokercert_mock.events import Events, HeldEvents
from brokercert_mock.exchange import Exchange
from brokercert_mock.ledger import Ledger, ledger_state
from brokercert_mock.names import Mode, NameServer
from brokercert_mock.orderlife import Sender
from brokercert_mock.panel import Panel
from brokercert_mock.quotas import Quotas
from brokercert_mock.quotes import Quotes
from brokercert_mock.recorder import NullRecorder, Recorder
from brokercert_mock.rules import OnAccept, OnEvents, OnOpen, OnRequest, OnUpgrade, Rule, RuleBook
from brokercert_mock.seed import Entity, seed_orders, seeded
from brokercert_mock.settings import Settings
from brokercert_mock.shell import Shell
from brokercert_mock.tls import Certificates, Kind
from brokercert_mock.tokens import Token, Tokens
from brokercert_mock.tradovate_panel import TradovatePanel


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
        self.db = seeded(self.rng, self.stamp)
        self.events = Events(self)
        self.quotes = Quotes(self)
        self.exchange = Exchange(
            self.db,
            self.stamp,
            self.events.publish,
            sender=Sender(self.db.user_id, 0),
            oco_cancel=self.settings.oco_cancel,
        )
        self.credentials = self._make_credentials()
        self.history: dict[int, Connection] = {}
        self.script_errors: list[BaseException] = []
        self.answering = Answering(self)
        self.quotas = Quotas(self)
        self.book = RuleBook()
        self._shells: dict[Shell, None] = {}  # in the order of accepting: a set's would differ from run to run
        self._timers: set[asyncio.TimerHandle] = set()
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self._port = 0
        self._host = "127.0.0.1"
        self._changed = asyncio.Event()
        self._blocked: list[socket.socket] = []
        self._ready: Token | None = None
        self.names: NameServer | None = None
        self._names_port = 0
        self.certificates: Certificates | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._ca = Path()
        seed_orders(self.exchange, self.rng, self.settings.snapshot_orders)
        self.exchange.auto_fill = self.settings.auto_fill
        self.exchange.risk.max_order_qty = self.settings.max_order_qty
        self.exchange.risk.max_position = self.settings.max_position

    def stamp(self) -> str:
        """Now, as the API writes it."""
        return self.tokens.stamp(self.clock())

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

    def client_facts(self, host: str, port: int) -> dict[str, str]:
        """What a client is told that reaches this broker at that address, by the names of docs/subject-protocol.md."""
        who, token = self.credentials, self.ready_token()
        secure = "s" if self._tls else ""
        host = self._name() if host == self._host else host
        return {
            **({"CA": str(self._ca)} if self._folder else {}),
            **({"DNS": f"{self._host}:{self._names_port}"} if self.names else {}),
            "URL": f"ws{secure}://{host}:{port}{self.websocket_path}",
            "REST_URL": f"http{secure}://{host}:{port}/v1",
            "TOKEN": token.access,
            "MD_TOKEN": token.md,
            "TOKEN_EXPIRES": token.expires,
            "USER": who.name,
            "PASSWORD": who.password,
            "APP_ID": who.app_id,
            "APP_VERSION": who.app_version,
            "CID": str(who.cid),
            "SEC": who.sec,
            "DEVICE_ID": who.device_id,
            "USER_ID": str(who.user_id),
            "ACCOUNTS": ",".join(map(str, who.accounts)),
        }

    # Life.

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen; port 0 takes a free one. With the setting `tls`, by certificates of its own."""
        if self.settings.tls and tls is None:
            tls = self._make_certificates()
        if self.settings.name:
            self.names = NameServer(self.settings.name, host, self._tell_query)
            self._names_port = await self.names.start(host)
        self._host, self._tls = host, tls
        self._server = await self.loop.create_server(lambda: Shell(self), host, port, ssl=tls)
        self._port = self._server.sockets[0].getsockname()[1]
        self.events.start()

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
        return "localhost" if self._tls else self.settings.name or self._host

    def _make_certificates(self) -> ssl.SSLContext:
        def hello(kind: str) -> None:
            self.recorder.rule(self.clock(), "tls-hello", 0, kind)

        self.certificates = Certificates(hello)
        self._folder = tempfile.TemporaryDirectory(prefix="brokercert-ca-")
        self._ca = self.certificates.write_ca(Path(self._folder.name) / "ca.pem")
        return self.certificates.context()

    def present(self, kind: Kind) -> None:
        """From here on new connections are shown this certificate; *cut*: their handshake is broken off."""
        assert self.certificates is not None, "the setting `tls` is off"
        requested = self.clock()
        self.certificates.kind = kind
        self.recorder.fault(requested, self.clock(), f"tls-{kind}", 0, "")

    def _tell_query(self, mode: str, name: str) -> None:
        self.recorder.rule(self.clock(), f"dns-{mode}", 0, name)

    def resolve(self, mode: Mode) -> None:
        """From here on the name server answers so."""
        assert self.names is not None, "the setting `name` is empty"
        requested = self.clock()
        self.names.mode = mode
        told = "name-resolves" if mode == "answer" else f"name-{mode}"
        self.recorder.fault(requested, self.clock(), told, 0, self.names.name)

    async def close(self) -> None:
        """Stop listening and end what is left, waiting for no client. Tells of rules that were never triggered."""
        self.events.stop()
        for timer in list(self._timers):
            timer.cancel()
        self._timers.clear()
        if self._server is not None:
            self._server.close()
        self._unblock()
        if self.names is not None:
            self.names.close()
        if self._folder is not None:
            self._folder.cleanup()
        for rule in self.book.rules:
            if rule.name and not rule.applied:
                self.recorder.rule_unused(self.clock(), rule.name)
        for shell in list(self._shells):
            shell.abort()
        self._server = None

    async def refuse_port(self) -> None:
        """From here on connections are truly refused: the port is bound, nobody listens. Live ones go on."""
        requested = self.clock()
        self._bound()
        self.recorder.fault(requested, self.clock(), "port-refused", 0, "")

    async def leave_unanswered(self) -> None:
        """From here on connects are not answered at all, as by a dead machine. Live connections go on.

        The port listens with a queue that is full, so that the system drops what comes. There is no record of it.
        """
        requested = self.clock()
        self._bound().listen(0)
        for _ in range(2):  # a queue of length 0 holds one connection; the second one finds out that it is full
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((self._host, self._port))
            self._blocked.append(filler)
        self.recorder.fault(requested, self.clock(), "port-unanswered", 0, "")

    def _bound(self) -> socket.socket:
        """The port, taken and not listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        blocked = socket.socket()
        blocked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        blocked.bind((self._host, self._port))
        self._blocked.append(blocked)
        return blocked

    def _unblock(self) -> None:
        for blocked in self._blocked:
            blocked.close()
        self._blocked.clear()

    async def accept_again(self) -> None:
        """Listen on the same port again."""
        requested = self.clock()
        self._unblock()
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
        return OnRequest(self.book, Rule("request", name, nth, times, nth_on_connection))

    def on_accepting(self, *, nth: int | None = None, times: int | None = None) -> OnAccept:
        """A rule for TCP connections, before anything is read from them."""
        return OnAccept(self.book, Rule("accept", "", nth, times))

    def on_open(self, *, nth: int | None = None, times: int | None = None) -> OnOpen:
        """A rule for the open frame `o`."""
        return OnOpen(self.book, Rule("open", "", nth, times))

    def on_upgrade(self, *, nth: int | None = None, times: int | None = None) -> OnUpgrade:
        """A rule for upgrade requests."""
        return OnUpgrade(self.book, Rule("upgrade", "", nth, times))

    def on_events(self, *, next: int | None = None) -> OnEvents:
        """A rule for the next so many events, or for all."""
        return OnEvents(self.book, Rule("event", "", None, next))

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

    def ready_token(self) -> Token:
        """The token that a client is given beside its credentials; the same each time."""
        if self._ready is None:
            self._ready = self.issue_token(self.settings.ready_token_life)
        return self._ready

    def expire(self, token: Token) -> None:
        """From here on it has expired, if it had not before."""
        token.until = min(token.until, self.clock())
        self._tell_token("expired", token)

    def revoke(self, token: Token) -> None:
        """From here on it is not taken any more, whatever its end was said to be."""
        token.revoked = True
        self._tell_token("revoked", token)

    def _tell_token(self, how: str, token: Token) -> None:
        now = self.clock()
        self.recorder.fault(now, now, f"token-{how}", 0, f"{token.access} {token.md}")

    # What the shell tells.

    def on_accept(self, shell: Shell) -> Connection:
        connection = Connection(self, len(self.history) + 1, shell)
        self.history[connection.id] = connection
        self._shells[shell] = None
        self.recorder.accepted(connection.accepted_at, connection.id)
        rule = self.book.match("accept", connection.id)
        if rule is not None:
            self.tell_rule(rule, connection)
            shell.deafen()
            connection.fin()
        self.changed()
        return connection

    def on_lost(self, shell: Shell) -> None:
        self._shells.pop(shell, None)
        self.changed()

    def on_upgrade_request(self, conn: Connection) -> Rule | None:
        rule = self.book.match("upgrade", conn.id)
        if rule is not None:
            self.tell_rule(rule, conn)
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
        rule = self.book.match("open", conn.id)
        if rule is None:
            self._send_open(conn)
            return
        self.tell_rule(rule, conn)
        if rule.hold_state is not None:
            self.withhold(rule, conn, "o", lambda: self._send_open(conn))
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

    def withhold(self, rule: Rule, conn: Connection, what: str, go: Callable[[], None]) -> None:
        """Keep `what` back on this connection until the rule's hold is released; `go` lets it go."""
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

    def tell_rule(self, rule: Rule, conn: Connection) -> None:
        self.recorder.rule(self.clock(), rule.name, conn.id, rule.detail)

    # Events.

    def heartbeats(self, mode: Literal["auto", "always", "off"]) -> None:
        """`h`: when nothing else was sent, always at its cadence, or not at all."""
        self.events.beats = mode

    def quiet(self, on: bool) -> None:
        """No plain events any more, or again."""
        self.events.quiet = on

    def emit(self, kind: str, event_type: Literal["Created", "Updated", "Deleted"], entity: Entity) -> None:
        """A props event to every synced socket that asked for such. It changes nothing of the broker's own state."""
        self.events.emit(kind, event_type, entity)

    def batch(self, *, arrays: bool = False) -> AbstractContextManager[None]:
        """All messages of a `with` block, answers included, in one frame a connection; with `arrays`, events of one
        type and change that stand together as one whose `entity` is an array.
        """
        return self.events.batch(arrays=arrays)

    def hold_events(self) -> HeldEvents:
        """Keep the events of a `with` block back, until they are released, in their order or another."""
        return HeldEvents(self.events)

    def market_event(self) -> None:
        """One plain event, of the next type that anybody subscribed to, to everybody who did."""
        self.events.market_event()

    def background(self, rate: float) -> None:
        """A stream of plain events, `rate` a second to each synced socket; 0 ends it."""
        self.events.background(rate)

    # State.

    def state(self) -> dict[str, dict[int, Entity]]:
        """All entities, by type and id. Prices and amounts are `Decimal`."""
        return {kind: dict(entities) for kind, entities in self.db.entities.items() if entities}

    def ledger_state(self) -> Ledger:
        """The fields that are compared (requirement set, "State that is compared"), by type and id, as JSON has them:
        ids are strings, decimals strings of all their digits. Types: order, fill, position, cashBalance, account.
        """
        return ledger_state(self.db)

    def panel(self) -> Panel:
        """What is shown of this broker to whoever tries it by hand, and what they may do to it."""
        return TradovatePanel(self)

    def tell_ledger(self, name: str) -> None:
        """Record the ledger as it is now: a point of comparison."""
        self.recorder.ledger(self.clock(), name, self.ledger_state())
