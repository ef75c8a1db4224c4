"""The mock broker of Arrow's order updates as a target: its upgrade and its REST. No network."""

from __future__ import annotations

from random import Random
from urllib.parse import quote

from brokercert_mock.arrow.broker import ArrowBroker
from brokercert_mock.arrow.settings import ArrowSettings

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


class _Arrow(AnyOwnBroker):
    """Each input is a connection."""

    broker: ArrowBroker

    def __init__(self) -> None:
        settings = ArrowSettings(each_may_send=NO_END, all_may_send=NO_END)
        self.broker = ArrowBroker(settings=settings, seed=1)
        login = self.broker.issue_login()
        self._query = f"session={quote(login.session)}&token={quote(login.token)}".encode()

    def feed(self, hostile: Hostile) -> None:
        order = self.broker.orders.place()
        data = hostile.wire.replace(b"ORDER-ID", order.id.encode()).replace(b"QUERY", self._query)
        self.say(data, data)
        self.broker.orders.orders.clear()  # the list is answered whole each time

    def probe(self) -> str:
        wire = self.say(b"GET /orders?" + self._query + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        return "" if wire.written.startswith(b"HTTP/1.1 200") else "the orders are not answered"


def _draw(rng: Random, level: Level | None) -> Hostile:
    if rng.random() < 0.1:
        head = UPGRADE.replace(b"/v1/websocket", b"/?QUERY").decode()
        name, head = wrong_text(rng, head)
        return Hostile("websocket", f"upgrade-{name}", "", head.encode("utf-8", "surrogateescape"))
    method, path, body = rng.choice(REQUESTS)
    name, text = wrong_json(rng, body) if body is not None else ("none", "")
    data = text.encode("utf-8", "surrogatepass")
    head = f"{method} /{path}?QUERY HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    if rng.random() < 0.2:
        name, head = wrong_text(rng, head)
    return Hostile("websocket", name, "", head.encode("utf-8", "surrogateescape") + data)


@target(
    "arrow",
    "The mock broker of Arrow's order updates, its upgrade and its REST: nothing is raised; the answer is a status, or"
    " the connection ends, or more is waited for; the next request for the orders is answered with 200.",
    _draw,
)
async def _arrow() -> _Arrow:
    return _Arrow()
