"""The mock brokers of Arrow's order updates as targets: their upgrade and their REST. No network."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import quote

from brokercert_mock.arrow.broker import ArrowBroker
from brokercert_mock.arrow.broker3 import ArrowBroker3
from brokercert_mock.arrow.settings import ArrowSettings, Settings3

from brokercert.fuzz.documents import wrong_json, wrong_text
from brokercert.fuzz.own_mock import NO_END, UPGRADE, AnyOwnBroker
from brokercert.fuzz.targets import target
from brokercert.hostile import Hostile, Level

ORDER = {"tradingSymbol": "SBIN-EQ", "quantity": 7, "price": 625.5, "transactionType": "SELL", "triggerPrice": 620}
LOGIN = {"user": "cert-user", "password": "p"}
# Method, path, body; ORDER-ID stands for an order that lives.
REQUESTS = (
    ("GET", "orders", None),
    ("POST", "orders", ORDER),
    ("PUT", "orders/ORDER-ID", {"quantity": 9, "price": 626.5}),
    ("GET", "orders/ORDER-ID", None),
    ("DELETE", "orders/ORDER-ID", None),
    ("POST", "session/renew", LOGIN),
)
REQUESTS3 = (
    ("GET", "user/orders", None),
    ("GET", "order/ORDER-ID", None),
    ("GET", "user/trades", None),
    ("GET", "app/login", None),
    ("POST", "auth/app/authenticate-token", {"appID": "brokercert-app", "token": "t", "checkSum": "c"}),
)
Requests = tuple[tuple[str, str, Any], ...]


class _Arrow(AnyOwnBroker):
    """Each input is a connection. Credentials stand in the query, and in headers for whom they are there."""

    broker: ArrowBroker
    orders = b"/orders"  # what the probe asks for

    def __init__(self) -> None:
        self.broker = self.make()
        login, (first, second) = self.broker.issue_login(), self.broker.edition.credentials
        self._query = f"{first}={quote(login.session)}&{second}={quote(login.token)}".encode()
        self._headers = f"{first}: {login.session}\r\n{second}: {login.token}\r\n".encode()

    def make(self) -> ArrowBroker:
        return ArrowBroker(settings=ArrowSettings(each_may_send=NO_END, all_may_send=NO_END), seed=1)

    def feed(self, hostile: Hostile) -> None:
        order = self.broker.orders.place()
        self.broker.orders.change(order, "OPEN")
        self.broker.orders.fill(order, 1)
        data = hostile.wire.replace(b"ORDER-ID", order.id.encode()).replace(b"QUERY", self._query)
        data = data.replace(b"HEADERS: x\r\n", self._headers)
        self.say(data, data)
        self.broker.orders.orders.clear()  # the list is answered whole each time

    def probe(self) -> str:
        head = b"GET %b?%b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (self.orders, self._query, self._headers)
        wire = self.say(head)
        return "" if wire.written.startswith(b"HTTP/1.1 200") else "the orders are not answered"


class _Arrow3(_Arrow):
    orders = b"/user/orders"

    def make(self) -> ArrowBroker:
        return ArrowBroker3(settings=Settings3(each_may_send=NO_END, all_may_send=NO_END), seed=1)


def _drawing(requests: Requests) -> Callable[[Random, Level | None], Hostile]:
    return lambda rng, level: _draw(rng, requests)


def _draw(rng: Random, requests: Requests) -> Hostile:
    if rng.random() < 0.1:
        head = UPGRADE.replace(b"/v1/websocket", b"/?QUERY").decode()
        name, head = wrong_text(rng, head)
        return Hostile("websocket", f"upgrade-{name}", "", head.encode("utf-8", "surrogateescape"))
    method, path, body = rng.choice(requests)
    name, text = wrong_json(rng, body) if body is not None else ("none", "")
    data = text.encode("utf-8", "surrogatepass")
    head = f"{method} /{path}?QUERY HTTP/1.1\r\nHost: x\r\nHEADERS: x\r\nContent-Length: {len(data)}\r\n\r\n"
    if rng.random() < 0.2:
        name, head = wrong_text(rng, head)
    return Hostile("websocket", name, "", head.encode("utf-8", "surrogateescape") + data)


@target(
    "arrow",
    "The mock broker of Arrow's order updates, its upgrade and its REST: nothing is raised; the answer is a status, or"
    " the connection ends, or more is waited for; the next request for the orders is answered with 200.",
    _drawing(REQUESTS),
)
async def _arrow() -> _Arrow:
    return _Arrow()


@target(
    "arrow-2026",
    "The mock broker of edition 2026 of the page, likewise: its other names, its rows, its login.",
    _drawing(REQUESTS3),
)
async def _arrow3() -> _Arrow:
    return _Arrow3()
