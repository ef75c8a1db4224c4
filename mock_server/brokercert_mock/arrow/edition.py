"""What an edition of the page changes for the broker: names in the query, messages, times. `FIRST` is that of 2025."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brokercert_mock.arrow.book import Order

MILLISECOND = datetime.timedelta(milliseconds=1)
# What can happen to an order, by the names that the first edition has for it. One more, TRADE_UPDATE, tells each leg.
PLACED, MODIFIED, CANCELLED, REJECTED = "ORDER_PLACED", "ORDER_MODIFIED", "ORDER_CANCELLED", "ORDER_REJECTED"
EXECUTED, PARTIAL, TRADED, STATUS = "ORDER_EXECUTED", "ORDER_PARTIAL", "TRADE_UPDATE", "ORDER_STATUS"
TYPES = (PLACED, MODIFIED, CANCELLED, REJECTED, EXECUTED, PARTIAL, TRADED, STATUS)


class Edition:
    """The first edition."""

    credentials: tuple[str, ...] = ("session", "token")  # names in the query
    app = ""  # the first of them, where it is the same in every login
    secrets: tuple[str, ...] = credentials  # those of them that are no business of a log
    missing = "Invalid session or token"
    endpoints: tuple[str, ...] = ("orders", "session/renew")  # of REST, by the names that rules have for them

    def tells(self, what: str) -> bool:
        """Whether there is a message of its own about that."""
        return True

    def message(self, order: Order, what: str | None, more: Mapping[str, Any]) -> dict[str, Any]:
        """As the page's only sample message shows it; of None, as the Orders REST API lists the order."""
        told: dict[str, Any] = {"updateType": what} if what else {}
        told |= {
            "orderId": order.id,
            "orderStatus": order.status,
            "tradingSymbol": order.symbol,
            "exchange": "NSE",
            "orderType": order.kind,
            "transactionType": order.side,
            "quantity": order.quantity,
            "filledQuantity": order.filled,
            "pendingQuantity": order.pending,
            "price": float(order.price),
            "averagePrice": float(order.average),
            "timestamp": stamp_text(order.stamp),
        }
        if order.trigger is not None:
            told["triggerPrice"] = float(order.trigger)
        if order.reason:
            told["rejectionReason"] = order.reason
        return {**told, **more}

    def following(self, now: datetime.datetime, last: datetime.datetime | None) -> datetime.datetime:
        """What an update of now is stamped with, after the order's last one."""
        return now if last is None else max(now, last + MILLISECOND)


def stamp_text(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


FIRST = Edition()
