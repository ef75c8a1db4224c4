"""What the client knows of orders: valid, each update once, the newest state, finished ones cleared. No I/O or clock.

An update is valid if every field of the page's message is there and of its type, if type and status are in the page's
tables, and if the quantities of a live order add up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable, Mapping
from typing import Any, Literal

from brokercert.reference.arrow.edition import FIRST, Edition

LIVE = {"PENDING", "OPEN", "TRIGGER_PENDING", "AFTER_MARKET_ORDER_REQ_RECEIVED"}
OVER = {"COMPLETE", "CANCELLED", "REJECTED"}
FIELDS: dict[str, type | tuple[type, ...]] = {
    "orderId": str,
    "orderStatus": str,
    "tradingSymbol": str,
    "exchange": str,
    "orderType": str,
    "transactionType": str,
    "quantity": int,
    "filledQuantity": int,
    "pendingQuantity": int,
    "price": (int, float),
    "averagePrice": (int, float),
    "timestamp": str,
}
Taken = Literal["applied", "duplicate", "invalid"]


def fault_in(update: Mapping[str, Any], types: Container[Any] | None) -> str:
    """What is wrong with an update of these types, or with an order of the REST API (None); empty: nothing."""
    if types is not None and update.get("updateType") not in types:
        return f"updateType {update.get('updateType')!r} is not known"
    for name, kind in FIELDS.items():
        value = update.get(name)
        if not isinstance(value, kind) or isinstance(value, bool) or value == "":
            return f"{name} is {value!r}"
        if isinstance(value, int | float) and value < 0:
            return f"{name} is {value!r}"
    status = update["orderStatus"]
    if status not in LIVE and status not in OVER:
        return f"orderStatus {status!r} is not known"
    if status in LIVE and update["filledQuantity"] + update["pendingQuantity"] != update["quantity"]:
        return "quantities that do not add up"
    return ""


class OrderView:
    """The tracking map. Times are seconds of whatever clock `now` is of."""

    edition: Edition = FIRST

    def __init__(self, clear_after: float, remembered: int) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self._clear_after = clear_after
        self._remembered = remembered
        self._seen: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self._over: dict[str, float] = {}

    def take(self, update: Mapping[str, Any], now: float) -> tuple[Taken, str]:
        """An update that came, and what was done with it; with the reason where it is invalid."""
        wrong = fault_in(update, self.edition.types)
        if wrong:
            return "invalid", wrong
        key = self.edition.key(update)
        if key in self._seen:
            return "duplicate", ""
        self._seen[key] = None
        while len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        self.put(update, now)
        return "applied", ""

    def fetched(self, orders: Iterable[Any], now: float) -> list[dict[str, Any]]:
        """The broker's orders as its REST API lists them: those that this changed."""
        changed = []
        for order in (self.edition.row(row) for row in orders if isinstance(row, dict)):
            if not fault_in(order, None) and not self._is_known(order, same=True) and self.put(order, now):
                changed.append(order)
        return changed

    def put(self, order: Mapping[str, Any], now: float) -> bool:
        """Keep this state, unless a newer one is known or the order was cleared. Timestamps sort as texts."""
        ident = order["orderId"]
        if self._is_known(order, same=self.edition.same_time_is_old):
            return False
        if ident in self._over and ident not in self.orders:
            return False
        self.orders[ident] = {name: value for name, value in order.items() if name != "updateType"}
        if order["orderStatus"] in OVER:
            self._over.setdefault(ident, now)
        return True

    def _is_known(self, order: Mapping[str, Any], *, same: bool) -> bool:
        """A newer state is known, or one of the same time where `same` says that it is no older."""
        known = self.orders.get(order["orderId"])
        if known is None:
            return False
        return bool(known["timestamp"] > order["timestamp"] or (same and known["timestamp"] == order["timestamp"]))

    def clear(self, now: float) -> None:
        """Finished orders leave the map; that they are finished is remembered, for as many as keys are."""
        for ident, since in list(self._over.items()):
            if now - since >= self._clear_after:
                self.orders.pop(ident, None)
        while len(self._over) > self._remembered:
            self._over.pop(next(iter(self._over)))

    def next_clearing(self) -> float:
        """When `clear` has something to do; infinity: not as things are."""
        held = (since for ident, since in self._over.items() if ident in self.orders)
        return min(held, default=float("inf")) + self._clear_after
