"""What a broker answers: requests over socket and REST, the rules laid over them, penalties (TP §2, §7, §9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brokercert_mock.tradovate import reads, rest
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.exchange.bulk import grow
from brokercert_mock.tradovate.exchange.commands import Sender
from brokercert_mock.tradovate.exchange.orders import OrderDesk
from brokercert_mock.tradovate.sync import snapshot, split, subscription_of
from brokercert_mock.tradovate.wire import ClientRequest

if TYPE_CHECKING:
    from brokercert_mock.tradovate.broker import TradovateBroker
    from brokercert_mock.tradovate.connection import Connection
    from brokercert_mock.tradovate.tokens import Token

Answer = tuple[int, Any]  # status, `d`

EARLY = 0.05  # seconds: a retry that comes this much before its penalty's end is on time


class Answering:
    """The requests of one broker's clients."""

    def __init__(self, broker: TradovateBroker) -> None:
        self.broker = broker
        self._before: dict[int, list[Any]] = {}  # messages that go before the next answer, in its frame
        self._penalties: dict[str, tuple[float, str]] = {}
        self._orders = OrderDesk(broker.exchange, broker.settings.denied_text, broker.stamp, self._on_expiry)

    def on_socket_request(self, conn: Connection, request: ClientRequest) -> None:
        """A request on a socket: the rule for it, or the broker's own answer."""
        self._under_rules(
            conn,
            request.endpoint,
            lambda: self._perform(conn, request),
            lambda status, data: self._reply(conn, request, status, data),
        )

    def on_rest_request(
        self,
        conn: Connection,
        target: str,
        headers: dict[str, str],
        body: str,
        respond: Callable[[int, str, str], None],
    ) -> None:
        """A REST request; `respond(status, body, content type)` sends its answer."""
        self._under_rules(
            conn,
            rest.endpoint_of(target)[0],
            lambda: rest.answer(self.broker, conn.address, target, headers, body),
            lambda status, data: respond(status, *rest.serialize(data)),
        )

    def _under_rules(
        self, conn: Connection, endpoint: str, act: Callable[[], Answer], reply: Callable[[int, Any], None]
    ) -> None:
        """Do what is asked (`act`) and answer it (`reply`), or whatever the rule for it says instead."""

        def perform() -> Answer:
            penalty = self._penalty_left(endpoint)
            return act() if penalty is None else (200, self._penalty(endpoint, penalty, False))

        rule = self.broker.book.match("request", conn.id, endpoint)
        if rule is None:
            self._carry_out(perform, reply)
            return
        self.broker.tell_rule(rule, conn)
        match rule.name:
            case "refuse" | "answer-with":
                reply(rule.params["status"], rule.params["data"])
                if endpoint == "authorize" and rule.params["status"] == 401 and self.broker.settings.bad_token_closes:
                    conn.close(1000, "Bye")
            case "ticket":
                reply(200, self._penalty(endpoint, rule.params["p_time"], rule.params["captcha"]))
            case "hold":
                self.broker.withhold(rule, conn, endpoint, lambda: self._carry_out(perform, reply))
            case "answer-after":
                self.broker.call_later(rule.params["seconds"], lambda: self._carry_out(perform, reply))
            case "last-in-batch":
                self._before[conn.id] = rule.params["messages"]
                self._carry_out(perform, reply)
                del self._before[conn.id]
            case "after-events":
                conn.send_messages(rule.params["messages"])
                self._carry_out(perform, reply)
            case "hold-answer":
                answer = perform()
                self.broker.withhold(rule, conn, endpoint, lambda: reply(*answer))
            case "in-one-frame":
                with self.broker.events.batch(arrays=False):
                    self._carry_out(perform, reply)
            case "answer-twice":

                def twice(status: int, data: Any) -> None:
                    reply(status, data)
                    reply(status, data)

                self._carry_out(perform, twice)
            case "first":
                assert rule.also is not None
                rule.also(conn)
                self._carry_out(perform, reply)
            case "then":
                self._carry_out(perform, reply)
                assert rule.also is not None
                rule.also(conn)
            case "instead":
                assert rule.also is not None
                rule.also(conn)
            case _:
                return  # never answered

    def _carry_out(self, perform: Callable[[], Answer], reply: Callable[[int, Any], None]) -> None:
        """Do what is asked and answer it, with the events of it after or before the answer."""
        if self.broker.settings.order_events == "before answer":
            reply(*perform())
            return
        with self.broker.events.until_answered():
            reply(*perform())

    def _penalty(self, endpoint: str, p_time: float, captcha: bool) -> dict[str, Any]:
        ticket = "".join(self.broker.rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(24))
        self.broker.recorder.secret("p-ticket", ticket)
        if not captcha:
            self._penalties[endpoint] = (self.broker.clock() + p_time, ticket)
        data: dict[str, Any] = {"p-ticket": ticket, "p-time": p_time}
        return data | {"p-captcha": True} if captcha else data

    def _penalty_left(self, endpoint: str) -> float | None:
        """Seconds for which an endpoint is still penalised (over socket and REST alike); None where it is not."""
        penalty = self._penalties.get(endpoint)
        if penalty is None:
            return None
        left = penalty[0] - self.broker.clock()
        if left <= EARLY:
            del self._penalties[endpoint]
            return None
        return left if self.broker.settings.early_retry == "ticket" else None

    def _perform(self, conn: Connection, request: ClientRequest) -> Answer:
        """Do what a request on a socket asks, and give its answer."""
        if request.endpoint == "authorize":
            return self._authorize(conn, request)
        if conn.authorized_at is None and self.broker.settings.unauthenticated == "401":
            return 401, self.broker.settings.denied_text
        if request.endpoint == "user/syncrequest":
            return self._sync(conn, request)
        if (quoted := self.broker.quotes.answer(conn, request.endpoint, request.body)) is not None:
            return quoted
        return self.endpoint(request.endpoint, request.query, request.body, conn.token)

    def _authorize(self, conn: Connection, request: ClientRequest) -> Answer:
        token = self.broker.tokens.find(request.body if isinstance(request.body, str) else request.text)
        if token is None:
            if self.broker.settings.bad_token_closes:
                self.broker.call_later(0, lambda: conn.close(1000, "Bye"))
            return 401, self.broker.settings.bad_token_text
        conn.token = token
        conn.authorized_at = self.broker.clock()
        self.broker.quotas.on_authorized(conn)
        return 200, None

    def _sync(self, conn: Connection, request: ClientRequest) -> Answer:
        if conn.subscription is not None and self.broker.settings.second_sync != "answer":
            if self.broker.settings.second_sync == "close":
                self.broker.call_later(0, lambda: conn.close(1000, "Bye"))
            return 400, "Bad request"
        conn.sync_body = request.body
        conn.subscription = subscription_of(request.body, self.broker.settings)
        conn.synced_at = self.broker.clock()
        least = self.broker.settings.snapshot_bytes
        if least:
            return 200, grow(self.broker.db, conn.subscription, least, self.broker.stamp())
        return 200, snapshot(self.broker.db, conn.subscription)

    def endpoint(self, endpoint: str, query: dict[str, list[str]], body: Any, token: Token | None) -> Answer:
        """An endpoint that socket and REST share, asked for with this token."""
        if endpoint == "auth/me":
            who = self.broker.credentials
            return 200, {"userId": who.user_id, "name": who.name, "fullName": "Certification User"}
        sender = Sender(self.broker.credentials.user_id, token.session if token else self.broker.db.session_id)
        found = self._orders.answer(endpoint, body, sender)
        if found is not None:
            return found
        found = reads.read(self.broker.db, endpoint, query, body)
        if found is not None:
            return found
        text = f"Not found: {endpoint}"
        return 404, f'"{text}"' if self.broker.settings.not_found_quoted else text

    def _on_expiry(self, text: str) -> None:
        """Look for orders whose time is over when this one is."""
        left = self.broker.tokens.until(text)
        self.broker.call_later(left, lambda: self.broker.exchange.expire_due(self.broker.stamp()))

    def _parts(self, request: ClientRequest, status: int, data: Any) -> list[Any]:
        """The answers that carry `data`: one, but for a snapshot that is split."""
        parts = self.broker.settings.split_parts
        if parts > 1 and request.endpoint == "user/syncrequest" and status == 200 and "users" in data:
            return list(split(data, parts))
        return [data]

    def _reply(self, conn: Connection, request: ClientRequest, status: int, data: Any) -> None:
        first, *more = self._parts(request, status, data)
        conn.send_messages([*self._before.get(conn.id, ()), frames.answer(status, request.id, first)])
        for part in more:
            conn.send_messages([frames.answer(status, request.id, part)])
        self.broker.changed()
