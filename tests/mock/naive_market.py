"""A second exchange, as simple as can be, that shares no line with the first: what should be in the ledger.

Every contract held is one entry of a list, every amount a fraction, and cash is counted anew from all fills each time.
It knows nothing of events, reports or entities; only the rules that the mock's documentation states.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

POINT = {"ESH6": 50, "NQH6": 20}
FEE = Fraction(194, 100)  # a contract
OVER = {"Filled", "Canceled", "Rejected", "Expired"}


@dataclass
class NaiveOrder:
    account: int
    symbol: str
    action: str
    qty: int
    price: Fraction | None  # a limit's
    at: Fraction  # where it is filled
    tif: str = "Day"
    status: str = "PendingNew"
    done: int = 0
    waiting: tuple[Any, ...] | None = ("New",)
    parent: int | None = None
    sibling: int | None = None

    @property
    def over(self) -> bool:
        return self.status in OVER


@dataclass
class NaiveMarket:
    any_end: bool  # whether an OCO's sibling goes whenever the other ends
    orders: dict[int, NaiveOrder] = field(default_factory=dict)
    fills: list[tuple[int, int, str, str, int, Fraction]] = field(default_factory=list)
    paused: bool = False
    turned_down: list[str] = field(default_factory=list)

    # What is asked.

    def place(self, orders: dict[int, NaiveOrder]) -> None:
        self.orders |= orders
        for ident, order in orders.items():
            if order.waiting:
                self._arrive(ident)

    def may_command(self, ident: int) -> bool:
        return not self.orders[ident].over and self.orders[ident].waiting is None

    def command(self, ident: int, what: tuple[Any, ...]) -> None:
        order = self.orders[ident]
        order.waiting = what
        if what[0] in self.turned_down:
            self.turned_down.remove(what[0])
            order.waiting = None
            return
        if order.status != "Suspended":
            order.status = {"Modify": "PendingReplace", "Cancel": "PendingCancel"}[what[0]]
        if not self.paused:
            self._do(ident)

    def may_fill(self, ident: int, qty: int) -> bool:
        order = self.orders[ident]
        return order.status in ("Working", "PendingReplace", "PendingCancel") and 0 < qty <= order.qty - order.done

    def fill(self, ident: int, qty: int, price: Fraction) -> None:
        order = self.orders[ident]
        order.done += qty
        self.fills.append((ident, order.account, order.symbol, order.action, qty, price))
        if order.done == order.qty:
            order.status, order.waiting = "Filled", None
        self._sibling_goes(order)
        if order.over:
            for child in self._children(ident):
                if self.orders[child].status == "Suspended":
                    self.orders[child].status = "Working"

    def may_reject(self, ident: int) -> bool:
        return not self.orders[ident].over and not self.orders[ident].done

    def reject(self, ident: int) -> None:
        self._end(ident, "Rejected")

    def expire(self, ident: int) -> None:
        self._end(ident, "Expired")

    def resume(self) -> None:
        self.paused = False

    def waiting_in_order(self, arrived: dict[int, int]) -> list[int]:
        return sorted((i for i, x in self.orders.items() if x.waiting), key=lambda i: arrived[i])

    def carry_on(self, ident: int) -> None:
        if self.orders[ident].waiting:
            self._do(ident)

    # What follows.

    def _arrive(self, ident: int) -> None:
        if "New" in self.turned_down:
            self.turned_down.remove("New")
            self._end(ident, "Rejected")
        elif not self.paused:
            self._do(ident)

    def _do(self, ident: int) -> None:
        order = self.orders[ident]
        assert order.waiting is not None
        what, order.waiting = order.waiting, None
        if what[0] == "New":
            parent = self.orders.get(order.parent) if order.parent is not None else None
            if parent is not None and parent.status != "Filled":
                order.status = "Suspended"
            else:
                order.status = "Working"
                if order.tif == "IOC":
                    self._end(ident, "Expired")
        elif what[0] == "Cancel":
            self._end(ident, "Canceled")
        else:
            if what[1] > order.done:
                order.qty, order.price = what[1], what[2]
                order.at = what[2] if what[2] is not None else order.at
            if order.status != "Suspended":
                order.status = "Working"

    def _end(self, ident: int, status: str) -> None:
        order = self.orders[ident]
        order.status, order.waiting = status, None
        for child in self._children(ident):
            if not self.orders[child].over:  # the first may have taken its sibling with it
                self._end(child, "Rejected" if status == "Rejected" else "Canceled")
        if self.any_end:
            self._sibling_goes(order)

    def _sibling_goes(self, order: NaiveOrder) -> None:
        if order.sibling in self.orders and not self.orders[order.sibling].over:
            self._end(order.sibling, "Canceled")

    def _children(self, ident: int) -> list[int]:
        return [i for i, x in self.orders.items() if x.parent == ident and not x.over]

    # What should be in the books.

    def held(self) -> dict[tuple[int, str], list[Fraction]]:
        """Per account and symbol, the price of every contract held; sold ones are below 0."""
        return self._count()[0]

    def earned(self) -> dict[int, Fraction]:
        """Per account, what trading brought, fees paid."""
        return self._count()[1]

    def _count(self) -> tuple[dict[tuple[int, str], list[Fraction]], dict[int, Fraction]]:
        held: dict[tuple[int, str], list[Fraction]] = {}
        money: dict[int, Fraction] = {}
        for _, account, symbol, action, qty, price in self.fills:
            mine = held.setdefault((account, symbol), [])
            sign = 1 if action == "Buy" else -1
            for _ in range(qty):
                gain = Fraction(0)
                if mine and (mine[0] > 0) != (sign > 0):
                    gain = (sign * -price - mine.pop(0)) * POINT[symbol]
                else:
                    mine.append(sign * price)
                money[account] = money.get(account, Fraction(0)) + gain - FEE
        return held, money
