"""Every default of the Arrow mock that the page does not state, under a name; never passed off as the broker's own.

The page (AR) tells the address, the messages and the limits by account type. It tells no server heartbeat, no REST
path, no close code and no answer to a refused login: all of that is inferred here, and marked so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from brokercert_mock.port.settings import AnySettings

Account = Literal["Basic", "Premium", "Enterprise"]

# AR Rate Limits: sockets at once, and reconnects a minute (None: unlimited).
LIMITS: dict[Account, tuple[int, int | None]] = {"Basic": (1, 10), "Premium": (3, 30), "Enterprise": (10, None)}
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class ArrowSettings(AnySettings):
    """How an `ArrowBroker` behaves. Times in seconds."""

    keep_alive: float | None = 5.0
    """A text without `updateType` after so long without anything sent [inferred: the page has no server heartbeat, and
    a client gives a socket up that is silent for 30 s]. None: a quiet market is silent."""
    keep_alive_text: str = '{"type":"keep-alive"}'
    """[inferred: an object without `updateType`, which the page's samples ignore]"""
    account: Account = "Enterprise"
    """Type of the account [documented]. Its limits hold only where `enforce_limits` says so."""
    enforce_limits: bool = False
    """Sockets and reconnects above the account's limits are refused with 429 [inferred: the page gives the limits, not
    what happens above them]."""
    credentials: Literal["plain", "reserved"] = "plain"
    """Session and token of unreserved characters only, which raw text carries as well; or with `%`, `&` and `=`, which
    only a correct encoding does [ours; RFC 3986]. Not `#`: some libraries refuse such an address altogether."""
    session_life: float | None = None
    """A session times out after so long [inferred: the page asks for renewal and names no life]. None: never."""
    expired_code: int = 1008
    """With this code a socket is closed whose session timed out [inferred: policy violation]."""
    refused_status: int = 401
    """Wrong or timed-out credentials at the upgrade, or over REST [inferred]."""
    orders: int = 6
    """Live orders in the seeded state [ours]."""
    tracked: int = 0
    """So many of them the client is asked to track to their end [ours]."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What a client is told beside its credentials: its own parameters, as RECONNECT_MAX_DELAY [ours]."""


@dataclass(frozen=True, slots=True)
class Settings3(ArrowSettings):
    """Where the third edition's broker differs. What its page and other pages leave open is a variant here."""

    keep_alive: float | None = 2.0
    """[inferred: the vendor's client gives a socket up that is silent for 5 s, so a quiet market cannot be silent; the
    form is open, and its own readers skip what is no update]"""
    order_time: Literal["update", "order"] = "update"
    """Whose time `orderTime` is: each update's, or the order's, which never changes [open: A3 Message Format]."""
    report_names: Literal["socket", "rest"] = "socket"
    """`New`, `Filled`, `PartiallyFilled` of the page, or `NewAck` and `Fill` of the rows of the REST API."""
    order_names: Literal["socket", "rest"] = "socket"
    """`SL` of the page, or `SL-LMT` of the REST API."""
    reject_reason: Literal["", "rejectReason", "rejectionReason"] = ""
    """The field of a message that has the reason of a rejection; empty: none [open; rows of REST have the first]."""
    book_rows: Literal["last", "all"] = "last"
    """`GET /user/orders`: one row an order, or one an event of the day, newest first [documented both ways]."""
