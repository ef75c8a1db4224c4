"""The third edition of the page, as the broker has it (A3 Message Format, Report Types): every value is a text."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from brokercert_mock.arrow.edition import (
    CANCELLED,
    EXECUTED,
    MODIFIED,
    PARTIAL,
    PLACED,
    REJECTED,
    STATUS,
    TRADED,
    Edition,
)
from brokercert_mock.arrow.settings import Settings3

if TYPE_CHECKING:
    from brokercert_mock.arrow.book import Order

REPORTS = {
    PLACED: "PendingNew",
    MODIFIED: "Replaced",
    CANCELLED: "Canceled",
    REJECTED: "Rejected",
    EXECUTED: "Filled",
    PARTIAL: "PartiallyFilled",
    STATUS: "New",
}
IN_ROWS = {"Filled": "Fill", "PartiallyFilled": "Fill", "New": "NewAck"}  # how rows of REST call them
KINDS = {"socket": {"LIMIT": "LMT", "SL": "SL"}, "rest": {"LIMIT": "LMT", "SL": "SL-LMT"}}
SIDES = {"BUY": "B", "SELL": "S"}
INDIA = datetime.timedelta(hours=5, minutes=30)
SECOND = datetime.timedelta(seconds=1)
# What a row of an order has beside the fields of the message, and what no client's state depends on.
ROW = {"remarks": "", "isAck": False, "twap": {}, "gorilla": {}, "vwap": {}, "slicer": {}, "pov": {}}


class Edition3(Edition):
    """The variants are the settings'."""

    credentials = ("appID", "token")
    secrets = ("token",)
    missing = "Invalid appID/token"
    app = "brokercert-app"
    endpoints = ("user/orders", "order", "user/trades", "app/login", "auth/app/authenticate-token")

    def __init__(self, settings: Settings3) -> None:
        self._settings = settings

    def tells(self, what: str) -> bool:
        """There is no message about a trade alone: it is an update of the order."""
        return what != TRADED

    def message(self, order: Order, what: str | None, more: Mapping[str, Any]) -> dict[str, Any]:
        """The page's example, field by field; of None, a row of the REST API."""
        variant = self._settings
        report = report_of(order, what or order.last)
        told: dict[str, Any] = {"updateType": "ORDER_UPDATE"} if what else {}
        told |= {
            "id": order.id,
            "userID": "AJ0001",
            "accountID": "AJ0001",
            "exchange": "NSE",
            "symbol": order.symbol,
            "token": "58695",
            "price": str(order.price),
            "quantity": str(order.quantity),
            "cumulativeFillQty": str(order.filled),
            "leavesQuantity": str(order.pending),
            "cancelQuantity": str(order.quantity - order.filled if order.status == "CANCELLED" else 0),
            "fillShares": str(order.fills[-1][0] if order.fills and "Fill" in report else 0),
            "averagePrice": str(order.average),
            "product": "M",
            "order": KINDS[variant.order_names][order.kind],
            "transactionType": SIDES.get(order.side, order.side),
            "orderStatus": order.status,
            "reportType": IN_ROWS.get(report, report) if variant.report_names == "rest" or not what else report,
            "orderTriggerPrice": str(order.trigger or 0),
            "validity": "DAY",
            "exchangeOrderID": "0",
            "pricePrecision": "2",
            "tickSize": "0.05",
            "lotSize": "1",
            "orderSource": "WEB",
            "orderTime": time_in_india(order.stamp),
        }
        if what is None:
            times = dict.fromkeys(("exchangeTime", "exchangeUpdateTime"), told["orderTime"])
            return {**told, **ROW, "rejectReason": order.reason, **times}
        if order.reason and variant.reject_reason:
            told[variant.reject_reason] = order.reason
        return told

    def following(self, now: datetime.datetime, last: datetime.datetime | None) -> datetime.datetime:
        """Whole seconds. Where the time is the order's, it never changes; else each update has a later one."""
        if last is None:
            return now.replace(microsecond=0)
        return last if self._settings.order_time == "order" else max(now.replace(microsecond=0), last + SECOND)


def time_in_india(moment: datetime.datetime, between: str = "T") -> str:
    """Whole seconds, without a zone."""
    return (moment + INDIA).strftime(f"%Y-%m-%d{between}%H:%M:%S")


def report_of(order: Order, what: str) -> str:
    """The report type of an update about that."""
    if what == STATUS and order.status == "PENDING":
        return "PendingNew"
    if what == STATUS and order.status == "OPEN" and order.trigger is not None:
        return "Triggered"
    if what == CANCELLED and order.expired:
        return "Expired"
    return REPORTS[what]
