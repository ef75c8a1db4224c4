"""The Arrow mock broker by hand: its orders and their fills as tables, and what may be done to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from brokercert_mock.arrow.book import LEGAL, SYMBOLS, Order
from brokercert_mock.arrow.connection import HEARTBEAT
from brokercert_mock.arrow.edition import stamp_text
from brokercert_mock.port.panel import (
    Act,
    Action,
    ActionError,
    Field,
    Row,
    Table,
    connection_actions,
    rule_actions,
    silence_of,
    table,
    texts,
)

if TYPE_CHECKING:
    from brokercert_mock.arrow.broker import ArrowBroker

NEXT = ("503", "429", "401", "no answer")


class ArrowPanel:
    """What a developer sees of a broker, and their hands on it."""

    title = "Arrow mock broker"

    def __init__(self, broker: ArrowBroker) -> None:
        self.broker = broker
        self.beats: tuple[str, ...] = (HEARTBEAT, broker.settings.keep_alive_text)
        self._actions = (
            *self._order_actions(),
            *connection_actions(broker.history),
            *self._broker_actions(),
            *rule_actions(broker.on_upgrade, broker.on_events, "update"),
        )

    # What it shows.

    def stage(self, conn: int) -> str:
        """logged in: the upgrade carries the credentials."""
        connection = self.broker.history.get(conn)
        if connection is None:
            return ""
        stage = "logged in" if connection.is_open and connection.login is not None else ""
        return ", ".join(x for x in (stage, silence_of(connection)) if x)

    def tables(self) -> Sequence[Table]:
        orders = list(self.broker.orders.orders.values())
        fills = [(order, n) for order in orders for n in range(len(order.fills))]
        columns = "Order,Status,Side,Qty,Filled,Pending,Symbol,Type,Price,Trigger,Average,Reason,Updated".split(",")
        numeric = "Qty, Filled, Pending, Price, Trigger, Average"
        return (
            table("orders", "Orders", columns, orders, self._order, numeric),
            table("fills", "Fills", ("Order", "Leg", "Symbol", "Qty", "Price"), fills, self._fill, "Leg, Qty, Price"),
        )

    def actions(self) -> Sequence[Action]:
        return self._actions

    def _order(self, order: Order) -> Row:
        may = LEGAL[order.status]
        can = (
            "fill" if order.status == "OPEN" else "",
            "open" if "OPEN" in may else "",
            "modify" if order.live else "",
            "cancel" if "CANCELLED" in may else "",
            "reject" if "REJECTED" in may else "",
        )
        cells = texts(
            order.id,
            order.status,
            order.side,
            order.quantity,
            order.filled,
            order.pending,
            order.symbol,
            order.kind,
            order.price,
            order.trigger,
            order.average if order.fills else None,
            order.reason,
            stamp_text(order.stamp),
        )
        return Row(order.id, cells, not order.live, tuple(name for name in can if name))

    def _fill(self, leg: tuple[Order, int]) -> Row:
        order, n = leg
        return Row(f"{order.id}/{n + 1}", texts(order.id, n + 1, order.symbol, *order.fills[n]))

    # What can be done.

    def _order_actions(self) -> tuple[Action, ...]:
        book = self.broker.orders

        def on(act: Callable[[Order, Mapping[str, str]], None], said: str) -> Act:
            def run(target: str, values: Mapping[str, str]) -> str:
                act(book.find(target), values)
                return f"order {target}: {said}"

            return run

        def fill(order: Order, values: Mapping[str, str]) -> None:
            book.fill(order, int(values["qty"]) or order.pending, price(values))

        def modify(order: Order, values: Mapping[str, str]) -> None:
            book.modify(order, quantity=int(values["qty"]) or None, price=price(values))

        def price(values: Mapping[str, str]) -> str | None:
            """None: as it is."""
            value = Decimal(values["price"])
            if value < 0:
                raise ActionError(f"price was {values['price']}; expected one above 0, or 0")
            return values["price"] if value else None

        rest = Field("qty", "Qty (0: the rest)", "whole number", "0")
        same = Field("qty", "Qty (0: as it is)", "whole number", "0")
        at = Field("price", "Price (0: as it is)", "number", "0")
        reason = Field("reason", "Reason", "text", "Insufficient funds")
        return (
            Action("fill", "Fill", "orders", on(fill, "filled"), (rest, at)),
            Action("open", "Open", "orders", on(lambda order, _: book.change(order, "OPEN"), "open")),
            Action("modify", "Modify", "orders", on(modify, "modified"), (same, at)),
            Action("cancel", "Cancel", "orders", on(lambda order, _: book.cancel(order), "cancelled")),
            Action(
                "reject",
                "Reject",
                "orders",
                on(lambda order, v: book.reject(order, v["reason"]), "rejected"),
                (reason,),
            ),
        )

    def _broker_actions(self) -> tuple[Action, ...]:
        symbols = tuple(name for name, _ in SYMBOLS)
        place = (
            Field("symbol", "Symbol", "choice", symbols[0], symbols),
            Field("side", "Side", "choice", "BUY", ("BUY", "SELL")),
            Field("qty", "Qty", "whole number", "100"),
            Field("price", "Price (0: the symbol's)", "number", "0"),
        )
        endpoints = self.broker.edition.endpoints
        following = (
            Field("endpoint", "Endpoint", "choice", endpoints[0], endpoints),
            Field("what", "Is answered with", "choice", NEXT[0], NEXT),
        )
        alive = (Field("mode", "Keep-alives", "choice", "off", ("off", "on")),)
        return (
            Action("place", "Place an order", "broker", self._place, place, "The user's own, from elsewhere"),
            Action("next", "Script the next request", "broker", self._next, following, "REST, of one endpoint, once"),
            Action("alive", "Set keep-alives", "broker", self._alive, alive, "What the broker says to quiet sockets"),
            Action("time-out", "Time all sessions out", "broker", self._time_out, help="Their sockets are closed"),
        )

    def _place(self, _: str, values: Mapping[str, str]) -> str:
        price = Decimal(values["price"]) or Decimal(dict(SYMBOLS)[values["symbol"]])
        quantity = int(values["qty"])
        order = self.broker.orders.place(symbol=values["symbol"], side=values["side"], quantity=quantity, price=price)
        return f"order {order.id} placed: {order.side} {quantity} {order.symbol}"

    def _next(self, _: str, values: Mapping[str, str]) -> str:
        rule = self.broker.on(values["endpoint"], times=1)
        if values["what"] == "no answer":
            rule.never_answer()
        else:
            rule.status(int(values["what"]))
        return f"the next {values['endpoint']}: {values['what']}"

    def _alive(self, _: str, values: Mapping[str, str]) -> str:
        self.broker.keeping_alive = values["mode"] == "on"
        return f"keep-alives: {values['mode']}"

    def _time_out(self, _: str, __: Mapping[str, str]) -> str:
        logins = self.broker.sessions.live()
        for login in logins:
            self.broker.time_out(login)
        return f"{len(logins)} session(s) timed out"
