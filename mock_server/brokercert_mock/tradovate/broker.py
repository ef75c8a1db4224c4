"""The Tradovate mock broker: accounts, tokens, sessions and events behind one port, scriptable by rules.

It is a broker, not a list of canned replies: answers come from a seeded state, and rules only change how it answers.
Everything that it does is told to a `Recorder`; it knows nothing of who records. One event loop, many brokers.
"""

from __future__ import annotations

import asyncio
import datetime
import ssl
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brokercert_mock.port.broker import AnyBroker
from brokercert_mock.port.names import Mode, NameServer
from brokercert_mock.port.panel import Panel
from brokercert_mock.port.recorder import Recorder
from brokercert_mock.port.rules import OnOpen, Rule
from brokercert_mock.port.shell import Shell
from brokercert_mock.port.tls import Certificates, Kind
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.answering import Answering
from brokercert_mock.tradovate.burst import Burst
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.events import Events, HeldEvents
from brokercert_mock.tradovate.exchange.bulk import EVERYTHING, grow
from brokercert_mock.tradovate.exchange.commands import Sender
from brokercert_mock.tradovate.exchange.ledger import Ledger, ledger_state
from brokercert_mock.tradovate.exchange.market import Exchange
from brokercert_mock.tradovate.panel import TradovatePanel
from brokercert_mock.tradovate.quotas import Quotas
from brokercert_mock.tradovate.quotes import Quotes
from brokercert_mock.tradovate.seed import Entity, seed_orders, seeded, start_session
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.tokens import Token, Tokens


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


class TradovateBroker(AnyBroker[Connection]):
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
        super().__init__(self.settings, recorder, seed, clock)
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
            sender=Sender(self.db.user_id, self.db.session_id),
            settings=self.settings,
        )
        self.credentials = self._make_credentials()
        self.answering = Answering(self)
        self.quotas = Quotas(self)
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
        await super().start(host, port, tls)

    def on_started(self) -> None:
        self.events.start()

    def on_closing(self) -> None:
        self.events.stop()
        if self.names is not None:
            self.names.close()
        if self._folder is not None:
            self._folder.cleanup()

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

    # Rules.

    def on_open(self, *, nth: int | None = None, times: int | None = None) -> OnOpen:
        """A rule for the open frame `o`."""
        return OnOpen(self.book, Rule("open", "", nth, times))

    # Tokens.

    def issue_token(self, life: float | None = None) -> Token:
        """A token of the main user, ready to use; `life` in seconds."""
        session = self.start_session(appId=self.credentials.app_id, appVersion=self.credentials.app_version)
        return self.tokens.issue(self.credentials.user_id, self.settings.token_life if life is None else life, session)

    def start_session(self, **fields: str) -> int:
        """A `userSession` of the main user, as a login starts one: `appId`, `appVersion`, `ipAddress` as far as known.
        Its id, which commands carry.
        """
        return start_session(self.db, self.stamp(), self.credentials.cid, **fields)

    def end_session(self, ident: int) -> None:
        """A session is over; when its tokens are is not decided here."""
        self.db.put("userSession", self.db.entities["userSession"][ident] | {"endTime": self.stamp()})

    async def grow_history(self, *, threaded: bool) -> None:
        """Make the history that the setting `snapshot_bytes` asks for before anybody does, for a client that wants
        every type; `threaded`: beside the loop, which is not to stand still. No client may be connected yet.
        """
        size, stamp = self.settings.snapshot_bytes, self.stamp()
        if threaded:
            await asyncio.to_thread(grow, self.db, EVERYTHING, size, stamp)
        else:
            grow(self.db, EVERYTHING, size, stamp)

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

    def make_connection(self, ident: int, shell: Shell) -> Connection:
        return Connection(self, ident, shell)

    def on_rest_request(
        self,
        conn: Connection,
        method: str,
        target: str,
        headers: dict[str, str],
        body: str,
        answer: Callable[[int, str, str], None],
    ) -> None:
        self.answering.on_rest_request(conn, target, headers, body, answer)

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

    def burst(self, conn: Connection, count: int) -> Burst:
        """So many events for one socket, made before they are sent and told after: for what is timed."""
        return Burst(self, conn, count)

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
