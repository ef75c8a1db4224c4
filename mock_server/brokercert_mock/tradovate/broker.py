"""The Tradovate mock broker: accounts, tokens, sessions and events behind one port, scriptable by rules.

It is a broker, not a list of canned replies: answers come from a seeded state, and rules only change how it answers.
Everything that it does is told to a `Recorder`; it knows nothing of who records. One event loop, many brokers.
"""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal

from brokercert_mock.port.broker import AnyBroker, request_when
from brokercert_mock.port.host import RestAnswer
from brokercert_mock.port.names import Mode, NameServer
from brokercert_mock.port.panel import Panel
from brokercert_mock.port.recorder import Recorder
from brokercert_mock.port.rules.rule import When
from brokercert_mock.port.shell import Shell
from brokercert_mock.port.tls import Certificates, Kind
from brokercert_mock.tradovate import rules
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.archive import archive_orders
from brokercert_mock.tradovate.batch import Batches
from brokercert_mock.tradovate.burst import Burst
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.events import Events, HeldEvents
from brokercert_mock.tradovate.exchange.bulk import EVERYTHING, grow
from brokercert_mock.tradovate.exchange.commands import Sender
from brokercert_mock.tradovate.exchange.ledger import Ledger, ledger_state
from brokercert_mock.tradovate.exchange.market import Exchange
from brokercert_mock.tradovate.exchange.orders import OrderDesk
from brokercert_mock.tradovate.front import Front
from brokercert_mock.tradovate.panel import TradovatePanel
from brokercert_mock.tradovate.requests.answering import AUTHORIZE, SYNC, Answering
from brokercert_mock.tradovate.requests.authorizing import Authorizing
from brokercert_mock.tradovate.requests.endpoints import Endpoints
from brokercert_mock.tradovate.requests.market_data import MarketData
from brokercert_mock.tradovate.requests.penalties import Penalties
from brokercert_mock.tradovate.requests.rest import PREFIX, Rest
from brokercert_mock.tradovate.requests.syncing import Syncing
from brokercert_mock.tradovate.requests.turns import Turns
from brokercert_mock.tradovate.seed import seed_orders, seeded
from brokercert_mock.tradovate.sessions.quotas import Quotas
from brokercert_mock.tradovate.sessions.sessions import Sessions, made_up
from brokercert_mock.tradovate.sessions.tokens import Token, Tokens
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.stamps import Stamps
from brokercert_mock.tradovate.state import Entity
from brokercert_mock.tradovate.sync import subscription_of


class TradovateBroker(AnyBroker[Connection]):
    """One broker on one port.

    `clock` gives seconds (None: the running loop's). `wall_start` is the calendar time at which it starts; tokens are
    issued with an end in that calendar. The same seed gives the same state, tokens and events.
    """

    websocket_path = f"{PREFIX}/websocket"
    rest_prefix = PREFIX
    takes = rules.TAKES

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
        self.stamp = Stamps(lambda: self.tokens.wall(self.clock()), seed)
        self.db = seeded(self.rng, self.stamp, self.stamp.minute())
        self.market_data = MarketData(self.ground, self.settings, self.db, self.stamp)
        self.events = Events(
            self.ground, self.settings, self.book, self.db, self.stamp, lambda: self.connections, self.market_data.tick
        )
        self.batches = Batches(self.ground)
        self.exchange = Exchange(
            self.db,
            self.stamp,
            self.events.publish,
            sender=Sender(self.db.user_id, self.db.session_id),
            settings=self.settings,
        )
        self.credentials = made_up(self.rng, self.db, self.recorder.secret)
        self.sessions = Sessions(self.ground, self.settings, self.db, self.tokens, self.credentials, self.stamp)
        self.quotas = Quotas(self.ground, self.settings, self.sessions, lambda: self.connections)
        self._answering, self._rest = self._make_answers()
        self._front = Front(self.ground, self.settings)
        archive_orders(self.db, self.settings.archived_orders, self.stamp())
        seed_orders(self.exchange, self.rng, self.settings.snapshot_orders)
        self.exchange.auto_fill = self.settings.auto_fill
        self.exchange.risk.max_order_qty = self.settings.max_order_qty
        self.exchange.risk.max_position = self.settings.max_position

    def _make_answers(self) -> tuple[Answering, Rest]:
        """Who answers on sockets, and who over REST; rules, penalties and most endpoints are the same to both."""
        ground, settings, one_frame = self.ground, self.settings, lambda: self.batches.batch(arrays=False)
        penalties = Penalties(ground, settings, self.rng)
        turns = Turns(ground, settings, self.book, penalties, self.events.until_answered, one_frame)
        desk = OrderDesk(self.exchange, settings.denied_text, self.moment, self._on_expiry)
        endpoints = Endpoints(settings, self.credentials, self.db, desk)
        of_sockets = {
            AUTHORIZE: Authorizing(ground, settings, self.tokens, self.quotas).answer,
            SYNC: Syncing(ground, settings, self.db, self.stamp).answer,
            **self.market_data.endpoints(),
        }
        answering = Answering(settings, turns, of_sockets, endpoints, self.changed)
        return answering, Rest(settings, turns, self.sessions, self.quotas, endpoints)

    def _on_expiry(self, text: str) -> None:
        """Look for orders whose time is over when this one is."""
        self.call_later(self.tokens.until(text), lambda: self.exchange.expire_due(self.moment()))

    def moment(self) -> str:
        """Now, in milliseconds: texts of this length can be compared."""
        return self.tokens.stamp(self.clock())

    def client_facts(self, host: str, port: int) -> dict[str, str]:
        """What a client is told that reaches this broker at that address, by the names of docs/subject-protocol.md."""
        who, token = self.credentials, self.ready_token()
        secure = "s" if self._tls else ""
        host = self._name() if host == self._host else host
        return {
            **self._front.client_facts(self._host),
            "URL": f"ws{secure}://{host}:{port}{self.websocket_path}",
            "REST_URL": f"http{secure}://{host}:{port}{self.rest_prefix}",
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
            tls = self._front.make_certificates()
        await self._front.serve_names(host)
        await super().start(host, port, tls)

    def on_started(self) -> None:
        self.events.start()

    def on_closing(self) -> None:
        self.events.stop()
        self._front.close()

    def _name(self) -> str:
        return "localhost" if self._tls else self.settings.name or self._host

    @property
    def certificates(self) -> Certificates | None:
        """Those that it made; None without the setting `tls`."""
        return self._front.certificates

    @property
    def names(self) -> NameServer | None:
        """Its name server; None without the setting `name`."""
        return self._front.names

    def present(self, kind: Kind) -> None:
        """From here on new connections are shown this certificate; *cut*: their handshake is broken off."""
        self._front.present(kind)

    def resolve(self, mode: Mode) -> None:
        """From here on the name server answers so."""
        self._front.resolve(mode)

    # Rules.

    def on(
        self,
        endpoint: str,
        *,
        nth: int | None = None,
        times: int | None = None,
        only: Mapping[str, Any] | None = None,
        attempt: int | None = None,
    ) -> rules.OnRequest:
        """A rule for requests to one endpoint (in any letter case), over socket or REST. `only`: for those that name
        these values, in their query or their body; a client's own requests go by. `attempt`: 1 for requests that bring
        no ticket back, 2 for those that bring one that a first attempt drew, and so on.
        """
        return rules.OnRequest(self.book, request_when(endpoint, nth, times, only, attempt))

    def on_upgrade(self, *, nth: int | None = None, times: int | None = None) -> rules.OnUpgrade:
        """A rule for upgrade requests."""
        return rules.OnUpgrade(self.book, When(nth=nth, times=times))

    def on_open(self, *, nth: int | None = None, times: int | None = None) -> rules.OnOpen:
        """A rule for the open frame `o`."""
        return rules.OnOpen(self.book, When(nth=nth, times=times))

    def on_events(self, *, next: int | None = None) -> rules.OnEvents:
        """A rule for the next so many events, or for all."""
        return rules.OnEvents(self.book, When(times=next))

    # Tokens.

    def issue_token(self, life: float | None = None) -> Token:
        """A token of the main user, ready to use; `life` in seconds."""
        return self.sessions.issue_token(life)

    def ready_token(self) -> Token:
        """The token that a client is given beside its credentials; the same each time."""
        return self.sessions.ready_token()

    def expire(self, token: Token) -> None:
        """From here on it has expired, if it had not before."""
        self.sessions.expire(token)

    def revoke(self, token: Token) -> None:
        """From here on it is not taken any more, whatever its end was said to be."""
        self.sessions.revoke(token)

    # What the shell tells.

    def make_connection(self, ident: int, shell: Shell) -> Connection:
        return Connection(self.ground, ident, shell, self.settings, self.batches, self._answering.on_request)

    def on_rest_request(
        self, conn: Connection, method: str, target: str, headers: dict[str, str], body: str, answer: RestAnswer
    ) -> None:
        self._rest.on_request(conn, target, headers, body, answer)

    def on_upgraded(self, conn: Connection) -> None:
        self._arm_deadlines(conn)
        rule = self.book.met(rules.OpenRule, conn.id)
        if rule is None:
            self._send_open(conn)
        else:
            rule.apply(rules.OpenTurn(self.ground, conn.id, lambda: self._send_open(conn)))

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
        return self.batches.batch(arrays=arrays)

    def hold_events(self) -> HeldEvents:
        """Keep the events of a `with` block back, until they are released, in their order or another."""
        return HeldEvents(self.events)

    def market_event(self) -> None:
        """One plain event, of the next type that anybody subscribed to, to everybody who did."""
        self.events.market_event()

    def burst(self, conn: Connection, count: int) -> Burst:
        """So many events for one socket, made before they are sent and told after: for what is timed."""
        return Burst(self.ground, self.db, conn, count)

    def background(self, rate: float) -> None:
        """A stream of plain events, `rate` a second to each synced socket; 0 ends it."""
        self.events.background(rate)

    # State.

    async def grow_history(self, bodies: Iterable[Any] = (), *, threaded: bool) -> None:
        """Make the history that `snapshot_bytes` asks for before anybody does: for a client that wants every
        type, and for each of these sync bodies. `threaded`: beside the loop, which is not to stand still. No client may
        be connected yet.
        """
        size, stamp = self.settings.snapshot_bytes, self.stamp()
        for wanted in (EVERYTHING, *(subscription_of(body, self.settings) for body in bodies)):
            if threaded:
                await asyncio.to_thread(grow, self.db, wanted, size, stamp)
            else:
                grow(self.db, wanted, size, stamp)

    def state(self) -> dict[str, dict[int, Entity]]:
        """All entities, by type and id. Prices and amounts are `Decimal`."""
        return {kind: dict(entities) for kind, entities in self.db.entities.items() if entities}

    @property
    def archived_orders(self) -> list[int]:
        """Ids of the orders of earlier days: they can be asked for, and no client knows them."""
        return sorted(self.db.archive["order"])

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
