"""The order ledger: orders, their legal life cycles, their fills; every change is one update, told once.

Money is `Decimal`; an average price is exact to 1/10000, halves to even. No two distinct updates have the same order id
and timestamp: clients drop duplicates by that key (AR Troubleshooting). What a message looks like, its edition says.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from brokercert_mock.arrow.edition import (
    CANCELLED,
    EXECUTED,
    FIRST,
    MODIFIED,
    PARTIAL,
    PLACED,
    REJECTED,
    STATUS,
    TRADED,
    Edition,
)

TERMINAL = frozenset({"COMPLETE", "CANCELLED", "REJECTED"})
# The statuses of AR Update Types, and from which to which an order may go.
LEGAL: dict[str, frozenset[str]] = {
    "AFTER_MARKET_ORDER_REQ_RECEIVED": frozenset({"PENDING", "CANCELLED", "REJECTED"}),
    "PENDING": frozenset({"OPEN", "TRIGGER_PENDING", "CANCELLED", "REJECTED", "COMPLETE"}),
    "TRIGGER_PENDING": frozenset({"OPEN", "CANCELLED", "REJECTED"}),
    "OPEN": frozenset({"COMPLETE", "CANCELLED", "REJECTED"}),
    "COMPLETE": frozenset(),
    "CANCELLED": frozenset(),
    "REJECTED": frozenset(),
}
STATUSES = tuple(LEGAL)
CENT = Decimal("0.0001")
SYMBOLS = (("SBIN-EQ", "625.50"), ("RELIANCE-EQ", "2510.00"), ("INFY-EQ", "1480.25"), ("TCS-EQ", "3890.75"))


class OrderError(ValueError):
    """What was asked of an order is not possible: says the order, what it is, and what would be."""


@dataclass(slots=True, eq=False)
class Order:
    """One order. `stamp`: the moment of its last update; `last`: what that was about; `told`: it, after each."""

    id: str
    symbol: str
    side: str
    kind: str
    quantity: int
    price: Decimal
    status: str
    stamp: datetime.datetime
    trigger: Decimal | None = None
    reason: str = ""
    last: str = PLACED
    expired: bool = False
    edition: Edition = FIRST
    told: list[dict[str, Any]] = field(default_factory=list)
    fills: list[tuple[int, Decimal]] = field(default_factory=list)
    filled_at: list[datetime.datetime] = field(default_factory=list)  # of each of them

    @property
    def filled(self) -> int:
        return sum(quantity for quantity, _ in self.fills)

    @property
    def pending(self) -> int:
        """Still to be filled: nothing, once the order is over."""
        return 0 if self.status in TERMINAL else self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        if not self.fills:
            return Decimal(0)
        total = sum((quantity * price for quantity, price in self.fills), Decimal(0))
        return (total / self.filled).quantize(CENT, ROUND_HALF_EVEN)

    @property
    def live(self) -> bool:
        return self.status not in TERMINAL

    def message(self, what: str | None, **more: Any) -> dict[str, Any]:
        """An update about that; of None, the order as the Orders REST API lists it."""
        return self.edition.message(self, what, more)


class OrderBook:
    """All orders of one account. `publish` is given every update, as the message that it is."""

    def __init__(
        self,
        rng: random.Random,
        wall: Callable[[], datetime.datetime],
        publish: Callable[[dict[str, Any]], None],
        edition: Edition = FIRST,
    ) -> None:
        self.edition = edition
        self.orders: dict[str, Order] = {}
        self._rng = rng
        self._wall = wall
        self._publish = publish
        self._next_id = 240_123_000_000_000 + rng.randrange(100_000, 900_000)
        self._trades = 0

    # What happens to orders.

    def place(
        self,
        *,
        symbol: str = "SBIN-EQ",
        side: str = "BUY",
        quantity: int = 100,
        price: str | Decimal = "625.50",
        trigger: str | None = None,
        after_market: bool = False,
    ) -> Order:
        """A new order: *pending*, or an after-market one that waits for the market."""
        if quantity < 1 or Decimal(price) <= 0:
            raise OrderError(f"quantity {quantity}, price {price}; expected both above 0")
        self._next_id += self._rng.randrange(1, 50)
        order = Order(
            id=str(self._next_id),
            symbol=symbol,
            side=side,
            kind="SL" if trigger else "LIMIT",
            quantity=quantity,
            price=Decimal(price),
            status="AFTER_MARKET_ORDER_REQ_RECEIVED" if after_market else "PENDING",
            stamp=self._wall(),
            trigger=Decimal(trigger) if trigger else None,
            edition=self.edition,
        )
        self.orders[order.id] = order
        self._tell(order, PLACED, first=True)
        return order

    def change(self, order: Order, status: str) -> None:
        """To a status that no other method is about: *open*, *trigger pending*, *pending* of an after-market order."""
        self._to(order, status)
        self._tell(order, STATUS)

    def modify(self, order: Order, *, quantity: int | None = None, price: str | None = None) -> None:
        if not order.live:
            raise OrderError(f"order {order.id} is {order.status}; expected one that is not over")
        if quantity is not None and quantity <= order.filled:
            raise OrderError(f"order {order.id}: quantity {quantity}; expected more than the {order.filled} filled")
        order.quantity = order.quantity if quantity is None else quantity
        order.price = order.price if price is None else Decimal(price)
        self._tell(order, MODIFIED)

    def fill(self, order: Order, quantity: int, price: str | None = None) -> None:
        """One execution leg: a trade, and then that the order is partly or wholly executed."""
        if order.status != "OPEN" or not 0 < quantity <= order.pending:
            raise OrderError(
                f"order {order.id} is {order.status} with {order.pending} pending; expected an open one with {quantity}"
            )
        order.fills.append((quantity, Decimal(price) if price else order.price))
        order.filled_at.append(self._wall())
        whole = order.filled == order.quantity
        if whole:
            self._to(order, "COMPLETE")
        self._trades += 1
        self._tell(
            order,
            TRADED,
            tradeId=f"T{self._trades:06d}",
            tradeQuantity=quantity,
            tradePrice=float(order.fills[-1][1]),
        )
        self._tell(order, EXECUTED if whole else PARTIAL)

    def cancel(self, order: Order, *, expired: bool = False) -> None:
        order.expired = expired
        self._to(order, "CANCELLED")
        self._tell(order, CANCELLED)

    def reject(self, order: Order, reason: str = "Insufficient funds") -> None:
        order.reason = reason
        self._to(order, "REJECTED")
        self._tell(order, REJECTED)

    # State.

    def live(self) -> list[Order]:
        return [order for order in self.orders.values() if order.live]

    def find(self, order_id: str) -> Order:
        if order_id not in self.orders:
            raise OrderError(f"order {order_id!r}: there is none")
        return self.orders[order_id]

    def state(self) -> dict[str, dict[str, Any]]:
        """All orders by id, as the REST API lists them."""
        return {order.id: order.message(None) for order in self.orders.values()}

    def _to(self, order: Order, status: str) -> None:
        if status not in LEGAL[order.status]:
            legal = ", ".join(sorted(LEGAL[order.status])) or "nothing: it is over"
            raise OrderError(f"order {order.id} is {order.status}; it may become {legal}, not {status}")
        order.status = status

    def _tell(self, order: Order, what: str, *, first: bool = False, **more: Any) -> None:
        if not self.edition.tells(what):
            return
        order.stamp = self.edition.following(self._wall(), None if first else order.stamp)
        order.last = what
        order.told.append(order.message(None))
        self._publish(order.message(what, **more))
