"""The third edition of the page (A3), for the judge: its names and ladders, and the fold that reads a trace by them."""

from __future__ import annotations

from typing import Any

from brokercert.judge.arrow.edition import NUMBER, Edition
from brokercert.judge.arrow.model import Updates


def _is_number(value: Any) -> bool:
    """A text that is a number from nought up: every value of a message is a text."""
    return isinstance(value, str) and NUMBER.fullmatch(value) is not None


THIRD = Edition(
    credentials=("appID", "token"),
    renewed="token",
    order="id",
    time="orderTime",
    filled="cumulativeFillQty",
    pending="leavesQuantity",
    key=("id", "reportType", "cumulativeFillQty", "orderTime"),
    repeats="the same update again",
    typed="id",
    or_empty=False,
    types=None,
    texts=("id", "orderStatus"),
    counts=("quantity", "cumulativeFillQty", "leavesQuantity"),
    prices=("price", "averagePrice"),
    is_count=_is_number,
    is_price=_is_number,
    ladders={"the page's ladder": (2, 4), "the vendor's client's ladder": (1, 2, 4)},
    lenient=True,
    at_once=True,
    beats="pong_most",
    also={
        "id": "orderId",
        "orderTime": "timestamp",
        "cumulativeFillQty": "filledQuantity",
        "leavesQuantity": "pendingQuantity",
    },
    unsaid=("cumulativeFillQty",),
)


class Updates3(Updates):
    """Everything said in one scenario, as the third edition of the page has it."""

    edition = THIRD
    token_paths = ("/auth/app/authenticate-token",)
