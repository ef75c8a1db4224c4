"""The Arrow mock broker: order updates pushed over a WebSocket, the Orders REST API, one ledger behind both.

It is a broker, not a list of canned replies: what it sends is what happened to an order, and rules only change how it
is sent. Everything that it does is told to a `Recorder`; it knows nothing of who records.
"""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from brokercert_mock.arrow.book import SYMBOLS, OrderBook
from brokercert_mock.arrow.connection import ArrowConnection
from brokercert_mock.arrow.edition import FIRST, Edition
from brokercert_mock.arrow.panel import ArrowPanel
from brokercert_mock.arrow.rest import OrdersApi
from brokercert_mock.arrow.rules import TAKES
from brokercert_mock.arrow.sessions import Login, Sessions, presented, presented_raw
from brokercert_mock.arrow.settings import LIMITS, MINUTE, ArrowSettings
from brokercert_mock.arrow.told import ArrowFault
from brokercert_mock.port.broker import AnyBroker
from brokercert_mock.port.ground import KEPT
from brokercert_mock.port.host import RestAnswer
from brokercert_mock.port.panel import Panel
from brokercert_mock.port.recorder import Recorder
from brokercert_mock.port.rules.shared import EventRule
from brokercert_mock.port.rules.turns import EventTurn
from brokercert_mock.port.shell import Shell

SHORTEST_SECRET = 4  # what a client presents is told as a secret, unless it is shorter than any can be


class ArrowBroker(AnyBroker[ArrowConnection]):
    """One broker on one port: `/` is the WebSocket, anything else REST.

    `wall_start` is the calendar time at which it starts: updates are stamped in that calendar.
    """

    websocket_path = ""
    rest_prefix = ""
    takes = TAKES
    edition: Edition = FIRST

    def __init__(
        self,
        settings: ArrowSettings | None = None,
        recorder: Recorder | None = None,
        seed: int = 1,
        clock: Callable[[], float] | None = None,
        wall_start: datetime.datetime | None = None,
    ) -> None:
        self.settings = settings or ArrowSettings()
        super().__init__(self.settings, recorder, seed, clock)
        self._began = self.clock()
        self._wall_start = wall_start or datetime.datetime.now(datetime.UTC)
        self._known: set[str] = set()
        reserved = self.settings.credentials == "reserved"
        self.sessions = Sessions(self.rng, self.clock, self._secret, reserved=reserved, app=self.edition.app)
        self.password = "pw-" + "".join(self.rng.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(16))
        self._secret("password", self.password)
        self.book_of_orders = OrderBook(self.rng, self.wall, self.publish, self.edition)
        self.api = self.make_api()
        self._accepted: deque[float] = deque(maxlen=KEPT)  # upgrades, for the account's reconnects a minute
        self.keeping_alive = True
        for n in range(self.settings.orders):
            symbol, price = SYMBOLS[n % len(SYMBOLS)]
            order = self.orders.place(symbol=symbol, price=price, quantity=100 * (n + 1))
            self.orders.change(order, "OPEN")

    @property
    def orders(self) -> OrderBook:
        """The ledger: place, change, fill, cancel orders on it."""
        return self.book_of_orders

    def wall(self) -> datetime.datetime:
        return self._wall_start + datetime.timedelta(seconds=self.clock() - self._began)

    def make_api(self) -> OrdersApi:
        return OrdersApi(
            self.ground, self.settings, self.book, self.orders, self.sessions, self.password, self.issue_login
        )

    def _secret(self, kind: str, value: str) -> None:
        self._known.add(value)
        self.recorder.secret(kind, value)

    def client_facts(self, host: str, port: int) -> dict[str, str]:
        """What a client is told that reaches this broker at that address, by the names of docs/subject-protocol.md."""
        live = [order.id for order in self.orders.live()]
        tracked = live[: self.settings.tracked]
        self.recorder.ledger(self.clock(), "told", {"orders": live, "tracked": tracked})
        return {
            "URL": f"ws://{host}:{port}",
            "REST_URL": f"http://{host}:{port}",
            **self.credential_facts(f"http://{host}:{port}", self.issue_login()),
            "ACCOUNT_TYPE": self.settings.account,
            "ORDERS": ",".join(live),
            "TRACK": ",".join(tracked),
            **self.settings.told,
        }

    def credential_facts(self, rest: str, login: Login) -> dict[str, str]:
        """What it connects with, and where it gets new ones."""
        return {
            "SESSION": login.session,
            "TOKEN": login.token,
            "RENEW_URL": f"{rest}/session/renew",
            "USER": "cert-user",
            "PASSWORD": self.password,
        }

    def issue_login(self) -> Login:
        """A session and a token, ready to use."""
        return self.sessions.issue(self.settings.session_life)

    def time_out(self, login: Login) -> None:
        """The session is over: its sockets are closed, and it opens none any more."""
        now = self.clock()
        self.sessions.expire(login)
        self.recorder.fault(now, now, str(ArrowFault.SESSION_EXPIRED), 0, "")
        for conn in self.connections:
            if conn.is_open and conn.login is login:
                conn.close(self.settings.expired_code, "session expired")

    # What the shell tells.

    def make_connection(self, ident: int, shell: Shell) -> ArrowConnection:
        return ArrowConnection(self.ground, ident, shell, self.settings.close_wait)

    def on_target(self, target: str) -> None:
        """Whatever is presented as a session or token is a secret, even where it is wrong or wrongly encoded."""
        given = presented(target)
        for name, raw in presented_raw(target, self.edition.secrets):
            value = given.get(name, "")
            if value in self._known:
                continue
            for form in (value, raw):
                if len(form) >= SHORTEST_SECRET and form not in self._known:
                    self._secret("presented", form)

    def refusal(self, conn: ArrowConnection, target: str) -> tuple[int, str] | None:
        given = presented(target)
        first, second = (given.get(name, "") for name in self.edition.credentials)
        login = self.sessions.find(first, second)
        if login is None:
            return self.settings.refused_status, self.edition.missing
        sockets, reconnects = LIMITS[self.settings.account]
        if self.settings.enforce_limits:
            now = self.clock()
            recent = [t for t in self._accepted if now - t < MINUTE]
            if sum(c.is_open for c in self.connections) >= sockets:
                return 429, f"{self.settings.account}: at most {sockets} connection(s)"
            if reconnects is not None and len(recent) > reconnects:
                return 429, f"{self.settings.account}: at most {reconnects} reconnects a minute"
        conn.login = login
        return None

    def on_switched(self, conn: ArrowConnection) -> None:
        self._accepted.append(self.clock())

    def on_upgraded(self, conn: ArrowConnection) -> None:
        self._keep_alive(conn)
        if conn.login is not None and conn.login.until is not None:
            login = conn.login
            self.call_later(max(0.0, conn.login.until - self.clock()), lambda: self.time_out(login))

    def _keep_alive(self, conn: ArrowConnection) -> None:
        every = self.settings.keep_alive
        if every is None or not conn.is_open:
            return
        left = conn.last_sent_at + every - self.clock()
        if left <= 0.001:
            if self.keeping_alive:
                conn.send_text(self.settings.keep_alive_text)
            left = every
        self.call_later(left, lambda: self._keep_alive(conn))

    def on_rest_request(
        self, conn: ArrowConnection, method: str, target: str, headers: dict[str, str], body: str, answer: RestAnswer
    ) -> None:
        self.api.on_request(conn, method, target, headers, body, answer)

    # Updates.

    def publish(self, message: Mapping[str, Any]) -> None:
        """One update to every open socket, under the rules for updates."""
        for conn in self.connections:
            if not conn.is_open:
                continue
            turn = EventTurn(message)
            rule = self.book.met(EventRule, conn.id)
            if rule is None:
                turn.now.append(message)
            else:
                rule.apply(turn)
            for update in (*turn.now, *turn.again):
                conn.send_update(update)

    # State.

    def panel(self) -> Panel:
        """What is shown of this broker to whoever tries it by hand, and what they may do to it."""
        return ArrowPanel(self)

    def tell_ledger(self, name: str) -> None:
        """Record all orders as they are now: a point of comparison."""
        self.recorder.ledger(self.clock(), name, {"order": self.orders.state()})
