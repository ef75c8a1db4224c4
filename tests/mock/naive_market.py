"""A second exchange, as simple as can be, that shares no line with the first: what should be in the ledger.

Every contract held is one entry of a list, every amount a fraction, and cash is counted anew from all fills each time.
It knows nothing of events, reports or entities; only the rules that the mock's documentation states.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from brokercert_mock import Settings

POINT = {"ESH6": 50, "NQH6": 20}
FEE = Fraction(194, 100)  # a contract
OVER = {"Filled", "Canceled", "Rejected", "Expired", "Deleted"}


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
    due: int | None = None  # the minute at which a GTD ends
    parent: int | None = None
    asleep: bool = False  # a bracket whose parent is not filled yet
    barred: bool = False  # its account may not trade so
    sibling: int | None = None

    @property
    def over(self) -> bool:
        return self.status in OVER


@dataclass
class NaiveMarket:
    rules: Settings
    orders: dict[int, NaiveOrder] = field(default_factory=dict)
    fills: list[tuple[int, int, str, str, int, Fraction]] = field(default_factory=list)
    paused: bool = False
    turned_down: list[str] = field(default_factory=list)
    auto: str = "never"
    most: int | None = None  # in an order
    most_held: int | None = None  # on either side
    trading: dict[int, str] = field(default_factory=dict)  # per account: open, locked, only out

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
        if what[0] == "Modify" and self.is_too_much(ident, what[1]):
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
        if order.over or self.rules.oso_wakes == "first fill":
            for child in self._sleepers(ident):
                if not self.orders[child].over:
                    self.orders[child].asleep = False
                    if self.orders[child].status == "Suspended":
                        self._enter(child)

    def may_reject(self, ident: int) -> bool:
        return not self.orders[ident].over and not self.orders[ident].done

    def reject(self, ident: int) -> None:
        self._end(ident, "Rejected")

    def expire(self, ident: int) -> None:
        self._end(ident, "Expired")

    def delete(self, ident: int) -> None:
        if not self.orders[ident].over:
            self._end(ident, "Deleted")

    def pass_time(self, minute: int) -> None:
        for ident, order in list(self.orders.items()):
            if order.tif == "GTD" and not order.over and order.due is not None and order.due <= minute:
                self.expire(ident)

    def to_cancel(self, account: int, symbol: str) -> list[int]:
        """What is cancelled when a position is liquidated, unless it ends meanwhile."""
        return [i for i, x in self.orders.items() if (x.account, x.symbol) == (account, symbol)]

    def net(self, account: int, symbol: str) -> int:
        mine = [x for x in self.fills if x[1:3] == (account, symbol)]
        return sum(x[4] if x[3] == "Buy" else -x[4] for x in mine)

    def resume(self) -> None:
        self.paused = False

    def waiting_in_order(self, arrived: dict[int, int]) -> list[int]:
        return sorted((i for i, x in self.orders.items() if x.waiting), key=lambda i: arrived[i])

    def carry_on(self, ident: int) -> None:
        if self.orders[ident].waiting:
            self._do(ident)

    # What follows.

    def _arrive(self, ident: int) -> None:
        if self.orders[ident].barred:
            self._end(ident, "Rejected")
        elif "New" in self.turned_down:
            self.turned_down.remove("New")
            self._end(ident, "Rejected")
        elif self.is_too_much(ident, self.orders[ident].qty):
            self._end(ident, "Rejected")
        elif not self.paused:
            self._do(ident)

    def _do(self, ident: int) -> None:
        order = self.orders[ident]
        assert order.waiting is not None
        what, order.waiting = order.waiting, None
        if what[0] == "New":
            if order.asleep:
                order.status = "Suspended"
            else:
                self._enter(ident)
        elif what[0] == "Cancel":
            self._end(ident, "Canceled")
        else:
            applies = what[1] > order.done
            if applies:
                order.qty, order.price = what[1], what[2]
                order.at = what[2] if what[2] is not None else order.at
                order.tif = what[3] or (order.tif if self.rules.modify_keeps else "Day")
            if order.status != "Suspended":
                order.status = "Working"
                if applies and order.tif in ("IOC", "FOK"):
                    self._meet(ident)

    def _enter(self, ident: int) -> None:
        """To the market; a bracket only if it is not too much by now."""
        if self.orders[ident].parent is not None and self.is_too_much(ident, self.orders[ident].qty):
            self._end(ident, "Rejected")
        else:
            self.orders[ident].status = "Working"
            self._meet(ident)

    def _meet(self, ident: int) -> None:
        order = self.orders[ident]
        sizes = {"never": [], "at once": [order.qty - order.done]}.get(self.auto)
        if sizes is None:
            part = 0 if order.tif == "FOK" else (order.qty - order.done) // 2
            sizes = [part, order.qty - order.done - part]
        for size in sizes:
            if size:
                self.fill(ident, size, order.at)
        if order.tif in ("IOC", "FOK") and not order.over:
            self._end(ident, self.rules.unfilled_ends)

    def is_barred(self, order: NaiveOrder) -> bool:
        net = self.net(order.account, order.symbol)
        out = net < 0 if order.action == "Buy" else net > 0
        return {"open": False, "locked": True, "only out": not out}[self.trading.get(order.account, "open")]

    def would_be_too_much(self, order: NaiveOrder) -> bool:
        """The same of an order that is not there yet."""
        self.orders[-1] = order
        try:
            return self.is_too_much(-1, order.qty)
        finally:
            del self.orders[-1]

    def is_too_much(self, ident: int, qty: int) -> bool:
        """Whether an order of this quantity is too large, or could lead to too much held on its side: if all that
        works there is filled, but of an OCO's two the smaller not.
        """
        order = self.orders[ident]
        if self.most is not None and qty > self.most:
            return True
        if self.most_held is None or order.asleep:
            return False
        mine = (order.account, order.symbol, order.action)
        live = [i for i, x in self.orders.items() if (x.account, x.symbol, x.action) == mine and not x.over]
        lefts = {i: self._left(i) for i in live if not self.orders[i].asleep} | {ident: qty - order.done}
        pairs = [(n, lefts.get(self.orders[i].sibling or 0)) for i, n in lefts.items()]
        either = [min(one, other) for one, other in pairs if other is not None]
        held = self.net(order.account, order.symbol) * (1 if order.action == "Buy" else -1)
        return held + sum(lefts.values()) - sum(either) // 2 > self.most_held

    def _left(self, ident: int) -> int:
        order = self.orders[ident]
        changing = order.waiting is not None and order.waiting[0] == "Modify"
        return max(order.qty, order.waiting[1] if changing and order.waiting else 0) - order.done

    def _end(self, ident: int, status: str, by_sibling: bool = False) -> None:
        order = self.orders[ident]
        order.status, order.waiting = status, None
        for child in self._sleepers(ident):
            if not self.orders[child].over:  # the first may have taken its sibling with it
                self._end(child, "Rejected" if status == "Rejected" else "Canceled")
        if self.rules.oco_cancel == "any end" and not by_sibling:
            self._sibling_goes(order)

    def _sibling_goes(self, order: NaiveOrder) -> None:
        if order.sibling in self.orders and not self.orders[order.sibling].over:
            self._end(order.sibling, "Canceled", by_sibling=True)

    def _sleepers(self, ident: int) -> list[int]:
        return [i for i, x in self.orders.items() if x.parent == ident and x.asleep and not x.over]

    # What should be in the books.

    def held(self) -> dict[tuple[int, str], list[Fraction]]:
        """Per account and symbol, the price of every contract held; sold ones are below 0."""
        return self._count()[0]

    def earned(self) -> dict[int, tuple[Fraction, Fraction]]:
        """Per account, what trading brought and what it cost, as far as its balance says."""
        return self._count()[1]

    def _count(self) -> tuple[dict[tuple[int, str], list[Fraction]], dict[int, tuple[Fraction, Fraction]]]:
        held: dict[tuple[int, str], list[Fraction]] = {}
        money: dict[int, tuple[Fraction, Fraction]] = {}
        for ident, account, symbol, action, qty, price in self.fills:
            told = self.rules.balance_updates == "fill" or self.orders[ident].over
            mine = held.setdefault((account, symbol), [])
            sign = 1 if action == "Buy" else -1
            for _ in range(qty):
                gain = Fraction(0)
                if mine and (mine[0] > 0) != (sign > 0):
                    gain = (sign * -price - mine.pop(0)) * POINT[symbol]
                else:
                    mine.append(sign * price)
                if told:
                    gains, fees = money.get(account, (Fraction(0), Fraction(0)))
                    money[account] = gains + gain, fees + FEE
        return held, money
