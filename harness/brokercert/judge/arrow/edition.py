"""What an edition of Arrow's page changes for the judge: names, tables and ladders, as data. A check names no edition.

`FIRST` is the page of 2025 (AR). The names that the judge itself uses, as `timestamp`, are the first edition's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

TERMINAL = frozenset({"COMPLETE", "CANCELLED", "REJECTED"})
STATUSES = TERMINAL | {"PENDING", "OPEN", "TRIGGER_PENDING", "AFTER_MARKET_ORDER_REQ_RECEIVED"}

NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")

Body = Mapping[str, Any]
Key = tuple[str, ...]  # what tells one update from another: the order's id first


@dataclass(frozen=True, eq=False)
class Edition:
    """`credentials`: the two names in the query; `renewed`: the one whose value a new login changes.

    `order`, `time`, `filled`, `pending`: the fields of an update that say so. `key`: the fields that tell one update
    from another, in updates and in reports; `repeats`: what a finding calls them. `typed`: an object is an update if
    this field is a text with something in it (`or_empty`: even without). `types`: the `updateType`s that are known;
    None: it is not looked at.

    `also`: another name that a client's own lines may have for a field. `unsaid`: fields of the key that a report may
    leave out.

    `ladders`: the delays in seconds, by what a finding calls them; from their end on the cap. `at_once`: the first
    attempts of a series may have no delay. `lenient`: `message` need not be raised, and `disconnect`
    may be raised at each failed attempt too. `beats`: the limit with the longest time between two `PONG`.
    """

    credentials: tuple[str, str]
    renewed: str
    order: str
    time: str
    filled: str
    pending: str
    key: tuple[str, ...]
    repeats: str
    typed: str
    or_empty: bool
    types: frozenset[str] | None
    texts: tuple[str, ...]
    counts: tuple[str, ...]
    prices: tuple[str, ...]
    is_count: Callable[[Any], bool]
    is_price: Callable[[Any], bool]
    ladders: Mapping[str, tuple[int, ...]]
    lenient: bool = False
    at_once: bool = False
    beats: str = "pong_every"
    also: Mapping[str, str] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[str, ...]:
        """The fields in which a client's orders are compared with the broker's."""
        return ("orderStatus", "quantity", self.filled, self.pending, "averagePrice")

    def climbs(self, cap: float) -> str:
        """All ladders in words, with the longest delay that ends them."""
        below = [[step for step in steps if step < cap] for steps in self.ladders.values()]
        told = (f"{', '.join(map(str, steps))}, then {cap:g} s" if steps else f"{cap:g} s" for steps in below)
        return ", or ".join(dict.fromkeys(told))

    def ladder(self, name: str) -> str:
        """One of them in words."""
        return f"{name}, from {self.ladders[name][0]} s"

    def is_update(self, body: Body) -> bool:
        kind = body.get(self.typed)
        return isinstance(kind, str) and (self.or_empty or bool(kind))

    def key_of(self, body: Body) -> Key:
        """Of an update, or of a client's report about one."""
        return tuple(plain(value) if name == self.filled else str(value) for name, value in self._named(body))

    def _named(self, body: Body) -> Iterable[tuple[str, Any]]:
        return ((name, self.value(body, name)) for name in self.key)

    def key_told(self, body: Body, sent: Iterable[Key]) -> Key:
        """Of a client's report: of the one update that it can mean, where it leaves out what it may."""
        key, said = self.key_of(body), [name for name in self.key if self.value(body, name) is not None]
        if set(self.key) - set(said) - set(self.unsaid) or len(said) == len(self.key):
            return key
        places = [self.key.index(name) for name in said]
        fitting = [one for one in sent if all(one[place] == key[place] for place in places)]
        return fitting[0] if len(fitting) == 1 else key

    def value(self, body: Body, name: str) -> Any:
        """A field, by its own name or by the other one that it may have in a client's lines."""
        return body.get(name, body.get(self.also.get(name, name)))

    def named(self, key: Key) -> str:
        """An update in words."""
        return f"order {key[0]} at {', '.join(key[1:])}"

    def problem_of(self, body: Body) -> str:
        """What is wrong with an update by the page's own tables; empty where nothing is."""
        if self.types is not None and body.get("updateType") not in self.types:
            return "an unknown updateType"
        if lacks := _lacking(body, self.texts, _is_text):
            return lacks
        if body["orderStatus"] not in STATUSES:
            return "an unknown orderStatus"
        if lacks := _lacking(body, self.counts, self.is_count) or _lacking(body, self.prices, self.is_price):
            return lacks
        over = body["orderStatus"] in TERMINAL
        whole, filled, pending = (Decimal(str(body[name])) for name in ("quantity", self.filled, self.pending))
        if not over and filled + pending != whole:
            return "quantities that do not add up"
        return ""


def plain(value: Any) -> str:
    """A number, or a text that is one, as one text: `65`, `"65"` and `65.0` are equal."""
    text = str(value).strip()
    return format(Decimal(text).normalize(), "f") if NUMBER.fullmatch(text) else text


def _lacking(body: Body, names: Iterable[str], is_right: Callable[[Any], bool]) -> str:
    return next((f"no {name}" for name in names if not is_right(body.get(name))), "")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


FIRST = Edition(
    credentials=("session", "token"),
    renewed="session",
    order="orderId",
    time="timestamp",
    filled="filledQuantity",
    pending="pendingQuantity",
    key=("orderId", "timestamp"),
    repeats="same order id and timestamp",
    typed="updateType",
    or_empty=True,
    types=frozenset(
        "ORDER_PLACED ORDER_MODIFIED ORDER_CANCELLED ORDER_REJECTED ORDER_EXECUTED ORDER_PARTIAL TRADE_UPDATE"
        " ORDER_STATUS".split()
    ),
    texts=("orderId", "orderStatus", "tradingSymbol", "exchange", "orderType", "transactionType", "timestamp"),
    counts=("quantity", "filledQuantity", "pendingQuantity"),
    prices=("price", "averagePrice"),
    is_count=_is_count,
    is_price=_is_price,
    ladders={"the table's ladder": (1, 2, 4, 8), "the Python sample's ladder": (2, 4, 8)},
)
