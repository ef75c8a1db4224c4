"""The order endpoints: what a client asks for, what is wrong with it, and the answer (TP §9).

A missing or wrong field is answered 200 with `violations`, a refusal at entry 200 with `failureReason` and
`failureText`; a command that was taken may still be turned down later, by events. Which check is made at entry and
which later is inferred, and so are the texts; `Access is denied` for a wrong account is observed. What a setting can
move to the events: whether the account may trade, whether the order can take a command. Fixed at entry: what is wrong
with the request itself, and what it names that is not there, since no order could be told of.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from brokercert_mock.tradovate.exchange.commands import NewOrder, Sender
from brokercert_mock.tradovate.exchange.ledger import current_version, exact
from brokercert_mock.tradovate.exchange.market import PRICE_FIELDS, Exchange
from brokercert_mock.tradovate.state import Entity

Answer = tuple[int, Any]
Refusal = tuple[str, str]  # reason, text

ORDER_TYPES = "Limit LimitIfTouched MIT Market QTS Stop StopLimit TrailingStop TrailingStopLimit".split()
TIMES_IN_FORCE = ("Day", "FOK", "GTC", "GTD", "IOC")
NEEDS = {  # what an order type cannot do without [inferred from its name]
    "Limit": ("price",),
    "Stop": ("stopPrice",),
    "StopLimit": ("price", "stopPrice"),
    "MIT": ("price",),
    "LimitIfTouched": ("price", "limitIfTouchedPrice"),
    "TrailingStop": ("stopPrice",),
    "TrailingStopLimit": ("price", "stopPrice"),
}
LONGEST = {"clOrdId": 64, "text": 64}
LARGEST_QTY = 1_000_000
LARGEST_PRICE = Decimal(10_000_000)
OF_COMMAND = ("clOrdId", "activationTime", "customTag50", "isAutomated")
OF_VERSION = ("maxShow", "expireTime", "text")


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, data: Any) -> None:
        super().__init__(str(data))
        self.status, self.data = status, data


def failure(reason: str, text: str) -> Refused:
    return Refused(200, {"failureReason": reason, "failureText": text})


def violation(constraint: str, value: Any, description: str) -> Refused:
    return Refused(200, {"violations": [{"constraint": constraint, "value": value, "description": description}]})


class OrderDesk:
    """The order endpoints of one exchange. `denied` is the text for what is not the user's; `now` the time as the API
    writes it; `on_expiry` is told of every `expireTime`.
    """

    def __init__(
        self, exchange: Exchange, denied: str, now: Callable[[], str], on_expiry: Callable[[str], None]
    ) -> None:
        self.exchange = exchange
        self._state = exchange.state
        self._settings = exchange.settings
        self._denied = denied
        self._now = now
        self._on_expiry = on_expiry
        self._endpoints = {
            "order/placeorder": self._place,
            "order/modifyorder": self._modify,
            "order/cancelorder": self._cancel,
            "order/liquidateposition": self._liquidate,
            "order/placeoco": self._place_oco,
            "order/placeoso": self._place_oso,
        }

    def answer(self, endpoint: str, body: Any, sender: Sender) -> Answer | None:
        """The answer to an order endpoint, after what it asks was done; None where the endpoint is none."""
        act = self._endpoints.get(endpoint)
        if act is None:
            return None
        if not isinstance(body, dict):
            return 400, "Bad request: expected a JSON object as body"
        try:
            return 200, act(body, sender)
        except Refused as refused:
            return refused.status, refused.data

    def _place(self, body: Entity, sender: Sender) -> dict[str, int]:
        order = self._new(body)
        ident = self.exchange.new_orders(order, sender=sender)[0]
        return {"orderId": ident}

    def _place_oco(self, body: Entity, sender: Sender) -> dict[str, int]:
        other = _object(body, "other")
        first, second = self._new(body), self._restrained(body, other, asleep=False)
        ids = self._state.new_id(), self._state.new_id()
        self.exchange.new_orders(
            _linked(first, ids[0], {"ocoId": ids[1]}), _linked(second, ids[1], {"ocoId": ids[0]}), sender=sender
        )
        return {"orderId": ids[0], "ocoId": ids[1]}

    def _place_oso(self, body: Entity, sender: Sender) -> dict[str, int]:
        bodies = [_object(body, "bracket1")]
        if body.get("bracket2") is not None:
            bodies.append(_object(body, "bracket2"))
        parent, brackets = self._new(body), [self._restrained(body, x, asleep=True) for x in bodies]
        ids = [self._state.new_id() for _ in range(1 + len(brackets))]
        orders = [_linked(parent, ids[0], {})]
        for bracket, ident in zip(brackets, ids[1:], strict=True):
            links = {"parentId": ids[0]}
            if len(brackets) == 2:
                links["ocoId"] = ids[2] if ident == ids[1] else ids[1]
            orders.append(_linked(bracket, ident, links))
        self.exchange.new_orders(*orders, sender=sender)
        return dict(zip(("orderId", "oso1Id", "oso2Id"), ids, strict=False))

    def _modify(self, body: Entity, sender: Sender) -> dict[str, int]:
        order = self._order(body)
        before = current_version(self._state, order["id"]) if self._settings.modify_keeps else None
        version = self._version(body, order["contractId"], before)
        fields, refusal = _picked(body, OF_COMMAND), self._not_free(order)
        if refusal is None and self._settings.limit_checks == "entry":
            _refuse(self.exchange.risk.over_limit(order, version["orderQty"]))
        return {"commandId": self.exchange.change_order(order["id"], version, fields, sender=sender, refusal=refusal)}

    def _cancel(self, body: Entity, sender: Sender) -> dict[str, int]:
        order = self._order(body)
        command, refusal = _picked(body, OF_COMMAND), self._not_free(order)
        return {"commandId": self.exchange.cancel_order(order["id"], command, sender=sender, refusal=refusal)}

    def _liquidate(self, body: Entity, sender: Sender) -> dict[str, int]:
        account, contract_id = self._account(body), _integer(body, "contractId")
        _boolean(body, "admin")
        if contract_id not in self._state.entities["contract"]:
            raise failure("InvalidContract", "Invalid contract")
        ident = self.exchange.liquidate(account["id"], contract_id, _picked(body, OF_COMMAND), sender=sender)
        if ident is None:
            raise failure("UnknownReason", "No position to liquidate")
        return {"orderId": ident}

    # What is in a body, and what is wrong with it.

    def _new(self, body: Entity, asleep: bool = False) -> NewOrder:
        """A whole order; `asleep`: a bracket."""
        account = self._account(body)
        action, symbol = _choice(body, "action", ("Buy", "Sell")), _text(body, "symbol")
        contract = self.exchange.contract_of(symbol)
        if contract is None:
            raise failure("InvalidContract", f"Invalid contract: {symbol}")
        version = self._version(body, contract["id"])
        refusal = self._may_not_trade(account, contract, action)
        if self._settings.account_checks == "entry":
            _refuse(refusal)
        if self._settings.limit_checks == "entry":
            order = {"id": 0, "accountId": account["id"], "contractId": contract["id"], "action": action}
            _refuse(self.exchange.risk.would_break(order, version["orderQty"], asleep=asleep))
        fields = _picked(body, OF_COMMAND)
        return NewOrder(account["id"], contract["id"], action, version, fields, refusal=refusal)

    def _restrained(self, body: Entity, own: Entity, *, asleep: bool) -> NewOrder:
        """The other order of an OCO, or a bracket of an OSO: account, symbol and quantity are the main order's."""
        merged = {key: body.get(key) for key in ("accountId", "accountSpec", "symbol", "orderQty", "isAutomated")}
        return self._new({key: value for key, value in merged.items() if value is not None} | own, asleep)

    def _account(self, body: Entity) -> Entity:
        ident = _integer(body, "accountId")
        account = self._state.entities["account"].get(ident)
        spec = body.get("accountSpec")
        if account is None or ident not in self._state.accounts or (spec is not None and spec != account["name"]):
            raise failure("UnknownReason", self._denied)
        return account

    def _order(self, body: Entity) -> Entity:
        order = self._state.entities["order"].get(_integer(body, "orderId"))
        if order is None or order["accountId"] not in self._state.accounts:
            raise failure("UnknownReason", self._denied)
        return order

    def _not_free(self, order: Entity) -> Refusal | None:
        """Why an order can take no command, where the risk check is to say so; refused at once where it is not."""
        refusal = None
        if self.exchange.is_over(order["id"]):
            refusal = "TooLate", f"Order {order['id']} is {order['ordStatus']}"
        elif self.exchange.pending(order["id"]) is not None:
            refusal = "AnotherCommandPending", "Another command is pending"
        if self._settings.command_checks == "entry":
            _refuse(refusal)
        return refusal

    def _may_not_trade(self, account: Entity, contract: Entity, action: str) -> Refusal | None:
        if account.get("closed") or not account.get("active", True):
            return "AccountClosed", "Account is closed"
        risk = self._state.entities["accountRiskStatus"].get(account["id"], {})
        if risk.get("adminAction") == "LockTradingImmediately":
            return "TradingLocked", "Trading is locked"
        net = self.exchange.books.net(account["id"], contract["id"])
        if risk.get("liquidateOnly") and not (net < 0 if action == "Buy" else net > 0):
            return "LiquidationOnly", "Account is in liquidation-only mode"
        return None

    def _version(self, body: Entity, contract_id: int, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A version's fields. A modification keeps what it does not name, where that is the setting (`before`)."""
        qty, kind = _integer(body, "orderQty"), _choice(body, "orderType", ORDER_TYPES)
        if qty <= 0:
            raise violation("min", qty, "orderQty: must be above 0")
        if qty > LARGEST_QTY:
            raise failure("MaxOrderQtyLimitReached", "Order quantity is too large")
        needed = NEEDS.get(kind, ())
        kept = {k: v for k, v in (before or {}).items() if k in OF_VERSION or (k in PRICE_FIELDS and k in needed)}
        prices = {name: self._price(body, name, contract_id) for name in PRICE_FIELDS if body.get(name) is not None}
        version = {"orderQty": qty, "orderType": kind, **kept, **prices}
        for name in needed:
            if name not in version:
                raise violation("required", None, f"{name}: is required for {kind}")
        if body.get("maxShow") is not None:
            version["maxShow"] = _integer(body, "maxShow")
        for name in ("expireTime", "text"):
            if body.get(name) is not None:
                version[name] = _text(body, name)
        default = (before or {}).get("timeInForce", "Day")
        version["timeInForce"] = _choice(body, "timeInForce", TIMES_IN_FORCE, default)
        if version["timeInForce"] == "GTD":
            version["expireTime"] = self._expiry(version.get("expireTime"))
        return version

    def _price(self, body: Entity, name: str, contract_id: int) -> Decimal:
        value = body[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise violation("type", value, f"{name}: must be a number")
        price = exact(value)
        if abs(price) >= LARGEST_PRICE or price % self.exchange.books.tick(contract_id):
            raise failure("InvalidPrice", f"Invalid price: {value}")
        return price

    def _expiry(self, value: Any) -> str:
        """An `expireTime` as the API writes times; whoever keeps the clock is told of it."""
        try:
            moment = datetime.datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise violation("format", value, "expireTime: must be an ISO-8601 time") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        text = moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if text <= self._now():
            raise violation("min", value, "expireTime: must lie ahead")
        self._on_expiry(text)
        return text


def _linked(order: NewOrder, ident: int, links: Mapping[str, int]) -> NewOrder:
    return dataclasses.replace(order, links=links, ident=ident)


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise failure(*refusal)


def _required(body: Entity, name: str) -> Any:
    if body.get(name) is None:
        raise violation("required", None, f"{name}: is required")
    return body[name]


def _integer(body: Entity, name: str) -> int:
    value = _required(body, name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 2.0: some languages write every number so
    if isinstance(value, bool) or not isinstance(value, int):
        raise violation("type", value, f"{name}: must be an integer")
    return value


def _boolean(body: Entity, name: str) -> bool:
    value = _required(body, name)
    if not isinstance(value, bool):
        raise violation("type", value, f"{name}: must be true or false")
    return value


def _text(body: Entity, name: str) -> str:
    value = _required(body, name)
    if not isinstance(value, str):
        raise violation("type", value, f"{name}: must be a string")
    if len(value) > LONGEST.get(name, len(value)):
        raise violation("maxLength", value, f"{name}: at most {LONGEST[name]} characters")
    return value


def _choice(body: Entity, name: str, choices: tuple[str, ...] | list[str], default: str | None = None) -> str:
    if default is not None and body.get(name) is None:
        return default
    value = _required(body, name)
    if value not in choices:
        raise violation("enum", value, f"{name}: expected one of {', '.join(choices)}")
    return str(value)


def _object(body: Entity, name: str) -> Entity:
    value = _required(body, name)
    if not isinstance(value, dict):
        raise violation("type", value, f"{name}: must be an object")
    return value


def _picked(body: Entity, names: tuple[str, ...]) -> Entity:
    """Those of the fields that are given. A text that is too long is a violation."""
    for name in names:
        if name in LONGEST and body.get(name) is not None:
            _text(body, name)
    return {name: body[name] for name in names if body.get(name) is not None}
