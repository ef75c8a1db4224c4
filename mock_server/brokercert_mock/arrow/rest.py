"""The Orders REST API that the page refers to and does not describe: every path and field here is inferred.

    GET    /orders                 all orders          POST   /orders               place one
    GET    /orders/ID              one                 PUT    /orders/ID            modify it
    POST   /session/renew          a new session       DELETE /orders/ID            cancel it

Session and token come as `Authorization: Bearer TOKEN` and `X-Session: SESSION`, or as query parameters as on the
WebSocket. An order that cannot be is answered 400 with a text, one that is not there 404.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from brokercert_mock.arrow.book import OrderBook, OrderError
from brokercert_mock.arrow.connection import ArrowConnection
from brokercert_mock.arrow.sessions import Login, Sessions, presented
from brokercert_mock.arrow.settings import ArrowSettings
from brokercert_mock.port.ground import Ground
from brokercert_mock.port.host import RestAnswer
from brokercert_mock.port.rules.book import RuleBook
from brokercert_mock.port.rules.shared import RequestRule
from brokercert_mock.port.rules.turns import RequestTurn

Answer = tuple[int, Any]
MOST = 10**9  # of a quantity or a price: what any number of JSON and any client can hold
LONGEST = 40  # characters of a symbol or a side


@dataclass(frozen=True)
class Redirect:
    """In place of data: where to go."""

    location: str


class OrdersApi:
    """What one broker answers over REST. `log_in` makes a session of the user, whose password this is."""

    def __init__(
        self,
        ground: Ground,
        settings: ArrowSettings,
        book: RuleBook,
        orders: OrderBook,
        sessions: Sessions,
        password: str,
        log_in: Callable[[], Login],
    ) -> None:
        self._ground, self._settings, self._book = ground, settings, book
        self._orders, self._sessions = orders, sessions
        self._password, self._log_in = password, log_in

    def on_request(
        self,
        conn: ArrowConnection,
        method: str,
        target: str,
        headers: dict[str, str],
        body: str,
        respond: RestAnswer,
    ) -> None:
        path = target.partition("?")[0].strip("/").lower()
        endpoint = self.endpoint_of(path)

        def reply(status: int, data: Any) -> None:
            if isinstance(data, Redirect):
                respond(status, "", "text/plain; charset=utf-8", [("Location", data.location)])
            elif isinstance(data, str):
                respond(status, data, "text/plain; charset=utf-8")
            else:
                respond(status, json.dumps(data, separators=(",", ":")), "application/json")

        turn = RequestTurn(
            self._ground,
            conn.id,
            endpoint,
            go_on=lambda: reply(*self.answer(method.upper(), path, target, headers, body)),
            answer_with=lambda status, data: reply(status, data or ""),
        )
        trigger = self._book.count(RequestRule, conn.id, endpoint)

        def lay(beneath: RequestRule[Any] | None = None) -> None:
            rule = self._book.newest(trigger, beneath=beneath)
            if rule is None:
                turn.go_on()
            else:
                rule.apply(replace(turn, go_on=lambda: lay(rule)))

        lay()

    def endpoint_of(self, path: str) -> str:
        """The name that rules have for it."""
        return "orders" if path.startswith("orders") else path

    def answer(self, method: str, path: str, target: str, headers: dict[str, str], body: str) -> Answer:
        try:
            data = json.loads(body) if body.strip() else {}
        except (ValueError, RecursionError):  # three thousand brackets are no request either
            return 400, "the body is no JSON"
        if path == "session/renew":
            given = data if isinstance(data, dict) else {}
            if (given.get("user"), given.get("password")) != ("cert-user", self._password):
                return self._settings.refused_status, "Invalid user or password"
            login = self._log_in()
            return 200, {"session": login.session, "token": login.token}
        if not self._known(target, headers):
            return self._settings.refused_status, "Invalid session or token"
        name, _, order_id = path.partition("/")
        if name != "orders":
            return 404, "Not found"
        try:
            return self._of_orders(method, order_id, data)
        except OrderError as error:
            return (404 if "there is none" in str(error) else 400), str(error)

    def _known(self, target: str, headers: dict[str, str]) -> bool:
        given = presented(target)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else given.get("token", "")
        session = headers.get("x-session") or given.get("session", "")
        return self._sessions.find(session, token) is not None

    def _of_orders(self, method: str, order_id: str, data: Any) -> Answer:
        book = self._orders
        given = data if isinstance(data, dict) else {}
        if method == "GET" and not order_id:
            return 200, {"orders": list(book.state().values())}
        if method == "GET":
            return 200, book.find(order_id).message(None)
        if method == "POST" and not order_id:
            order = book.place(
                symbol=_word(given, "tradingSymbol", "SBIN-EQ"),
                side=_word(given, "transactionType", "BUY"),
                quantity=_whole(given),
                price=_price(given, "price"),
                trigger=_price(given, "triggerPrice") if "triggerPrice" in given else None,
            )
            book.change(order, "TRIGGER_PENDING" if order.trigger is not None else "OPEN")
            return 200, {"orderId": order.id}
        if method == "PUT":
            order = book.find(order_id)
            book.modify(
                order,
                quantity=None if given.get("quantity") is None else _whole(given),
                price=None if given.get("price") is None else _price(given, "price"),
            )
            return 200, {"orderId": order.id}
        if method == "DELETE":
            book.cancel(book.find(order_id))
            return 200, {"orderId": order_id}
        return 405, "Method not allowed"


# What a client sends is read here: behind these the book has numbers that it can count with.


def _whole(given: dict[str, Any]) -> int:
    value = given.get("quantity")
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MOST:
        raise OrderError(f"expected a whole `quantity` of {MOST} at most")
    return value


def _price(given: dict[str, Any], name: str) -> str:
    """A number, or a text that is one."""
    value = given.get(name)
    try:
        number = Decimal(str(value)) if isinstance(value, int | float | str) else Decimal("NaN")
    except (InvalidOperation, ValueError):  # no number; an integer of too many digits
        number = Decimal("NaN")
    if not number.is_finite() or isinstance(value, bool) or not -MOST <= number <= MOST:
        raise OrderError(f"expected a `{name}` of {MOST} at most")
    return str(number)


def _word(given: dict[str, Any], name: str, usual: str) -> str:
    value = given.get(name, usual)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > LONGEST:
        raise OrderError(f"expected a `{name}` of {LONGEST} characters at most")
    return value
