"""What orders, fills, positions and cash come to: the books behind the exchange, and the state that is compared.

Money is `Decimal` throughout and written to JSON as a number with all its digits; every number has at most 15
significant ones, so that a client that reads it as a double has it exactly. Positions are paired first in, first out.

Inferred, since no document says so (TP §8), and settings: the `netPrice` of a flat position, whether fees are part of
`realizedPnL`, when a balance is updated. Inferred and fixed: pairing first in, first out, and average prices rounded
to eight places (docs/rules.md, "What no document says").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import TRADE_DATE, Change, Entity, State

PLACES = Decimal("1e-8")  # of an average price: 15 significant digits below 10,000,000
FEES = {  # a contract [ours: the order of magnitude of a retail micro-structure]
    "clearingFee": Decimal("0.19"),
    "exchangeFee": Decimal("1.38"),
    "nfaFee": Decimal("0.02"),
    "commission": Decimal("0.35"),
}
MARGINS = {"ES": (Decimal(13_200), Decimal(12_000)), "NQ": (Decimal(19_800), Decimal(18_000))}  # initial, maintenance
COMMANDS_THAT_COUNT = ("AtExecution", "OnHold", "ExecutionSuspended")  # of a Modify (TP §8)

Ledger = dict[str, dict[str, dict[str, Any]]]


def exact(value: int | float | Decimal) -> Decimal:
    """A JSON number as the decimal that was written."""
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def tidy(value: Decimal) -> Decimal:
    """Without trailing zeros, and without an exponent."""
    short = value.normalize()
    return short if short.as_tuple().exponent <= 0 else short.quantize(Decimal(1))  # type: ignore[operator]


def average(value: Decimal, qty: int) -> Decimal:
    """`value / qty`, rounded to eight places."""
    return tidy((value / qty).quantize(PLACES))


@dataclass(slots=True)
class Lot:
    """What is left open of a fill; `qty` is below 0 for a sale."""

    fill_id: int
    qty: int
    price: Decimal


@dataclass(slots=True)
class Holding:
    """The open lots of an account in a contract, oldest first; what they are together, kept up rather than counted."""

    lots: deque[Lot] = field(default_factory=deque)
    net: int = 0
    value: Decimal = field(default_factory=Decimal)  # the sum of qty * price

    def add(self, qty: int, price: Decimal) -> None:
        self.net += qty
        self.value += qty * price


@dataclass(slots=True)
class Money:
    """What fills brought an account and what they cost it."""

    account_id: int
    realized: Decimal = field(default_factory=Decimal)
    fees: Decimal = field(default_factory=Decimal)


class Books:
    """Positions, pairs, fees, cash and margins of all accounts. `stamp` gives the time as the API writes it."""

    def __init__(self, state: State, stamp: Callable[[], str], settings: Settings) -> None:
        self.state = state
        self._stamp = stamp
        self._settings = settings
        self._unsettled: dict[int, Money] = {}  # by order
        self._holdings: dict[tuple[int, int], Holding] = {}
        self._positions: dict[tuple[int, int], int] = {}

    def position(self, account_id: int, contract_id: int) -> Entity | None:
        """The position of an account in a contract."""
        ident = self._positions.get((account_id, contract_id))
        return None if ident is None else self.state.entities["position"].get(ident)

    def net(self, account_id: int, contract_id: int) -> int:
        """What the account holds of a contract; below 0 where it is short."""
        holding = self._holdings.get((account_id, contract_id))
        return holding.net if holding else 0

    def book(self, account_id: int, fill: Entity, done: bool) -> list[Change]:
        """Enter a fill: position, pairs, balance, fee, margin, in the order in which they are told. `done`: with it its
        order is filled whole.
        """
        contract_id = fill["contractId"]
        qty = fill["qty"] if fill["action"] == "Buy" else -fill["qty"]
        pairs = self._pair((account_id, contract_id), Lot(fill["id"], qty, fill["price"]))
        position = self._update_position(account_id, contract_id, fill)
        changes = [position]
        realized = Decimal(0)
        for buy, sell, size in pairs:
            realized += (sell.price - buy.price) * size * self._point(contract_id)
            changes.append(
                self.state.change(
                    "fillPair",
                    {
                        "id": self.state.new_id(),
                        "positionId": position.entity["id"],
                        "buyFillId": buy.fill_id,
                        "sellFillId": sell.fill_id,
                        "qty": size,
                        "buyPrice": buy.price,
                        "sellPrice": sell.price,
                        "active": True,
                    },
                )
            )
        fees = {name: tidy(fee * fill["qty"]) for name, fee in FEES.items()}
        money = self._unsettled.setdefault(fill["orderId"], Money(account_id))
        money.realized += realized
        money.fees += sum(fees.values(), Decimal(0))
        if done or self._settings.balance_updates == "fill":
            changes += self.settle(fill["orderId"])
        currency = self._cash(account_id)["currencyId"]
        fee: Entity = {"id": fill["id"]}
        for name, amount in fees.items():
            fee |= {name: amount, f"{name}CurrencyId": currency}
        changes.append(self.state.change("fillFee", fee))
        changes.append(self._update_margin(account_id))
        return changes

    def settle(self, order_id: int) -> list[Change]:
        """The balance, by what an order's fills brought that it does not have yet."""
        money = self._unsettled.pop(order_id, None)
        return [] if money is None else [self._update_cash(money)]

    def _pair(self, key: tuple[int, int], new: Lot) -> list[tuple[Lot, Lot, int]]:
        """Set a fill off against the open lots, oldest first: (bought, sold, how many). The rest stays open."""
        holding = self._holdings.setdefault(key, Holding())
        lots = holding.lots
        pairs = []
        while lots and new.qty and (lots[0].qty > 0) != (new.qty > 0):
            old = lots[0]
            size = min(abs(old.qty), abs(new.qty))
            pairs.append((old, new, size) if old.qty > 0 else (new, old, size))
            sign = 1 if new.qty > 0 else -1
            new.qty -= sign * size
            old.qty += sign * size
            holding.add(sign * size, old.price)
            if not old.qty:
                lots.popleft()
        if new.qty:
            lots.append(new)
            holding.add(new.qty, new.price)
        return pairs

    def _update_position(self, account_id: int, contract_id: int, fill: Entity) -> Change:
        holding = self._holdings[account_id, contract_id]
        net = holding.net
        before = self.position(account_id, contract_id) or {
            "id": self.state.new_id(),
            "accountId": account_id,
            "contractId": contract_id,
            "tradeDate": TRADE_DATE,
            "bought": 0,
            "boughtValue": Decimal(0),
            "sold": 0,
            "soldValue": Decimal(0),
            "prevPos": 0,
        }
        self._positions[account_id, contract_id] = before["id"]
        side = "bought" if fill["action"] == "Buy" else "sold"
        after = before | {
            "timestamp": self._stamp(),
            "netPos": net,
            "netPrice": average(holding.value, net) if net else Decimal(0),
            side: before[side] + fill["qty"],
            f"{side}Value": tidy(before[f"{side}Value"] + fill["qty"] * fill["price"]),
        }
        if not net and self._settings.flat_price == "none":
            del after["netPrice"]
        return self.state.change("position", after)

    def pay(self, account_id: int, amount: Decimal) -> Change:
        """The balance with so much more, which is no profit."""
        before = self._cash(account_id)
        after = before | {"timestamp": self._stamp(), "amount": tidy(before["amount"] + amount)}
        return self.state.change("cashBalance", after)

    def _update_cash(self, money: Money) -> Change:
        before, net = self._cash(money.account_id), money.realized - money.fees
        after = before | {
            "timestamp": self._stamp(),
            "amount": tidy(before["amount"] + net),
            "realizedPnL": tidy(
                before["realizedPnL"] + (net if self._settings.pnl_fees == "inside" else money.realized)
            ),
        }
        return self.state.change("cashBalance", after)

    def _cash(self, account_id: int) -> Entity:
        return next(x for x in self.state.entities["cashBalance"].values() if x["accountId"] == account_id)

    def _update_margin(self, account_id: int) -> Change:
        initial = maintenance = Decimal(0)
        for (account, contract_id), ident in self._positions.items():
            held = self.state.entities["position"].get(ident)
            if account == account_id and held is not None:
                one, kept = MARGINS[self._product(contract_id)["name"]]
                initial += abs(held["netPos"]) * one
                maintenance += abs(held["netPos"]) * kept
        after = self.state.entities["marginSnapshot"][account_id] | {
            "timestamp": self._stamp(),
            "initialMargin": initial,
            "maintenanceMargin": maintenance,
            "totalUsedMargin": initial,
            "fullInitialMargin": initial,
            "positionMargin": initial,
            "totalUsedFullMargin": initial,
        }
        return self.state.change("marginSnapshot", after)

    def _product(self, contract_id: int) -> Entity:
        contract = self.state.entities["contract"][contract_id]
        maturity = self.state.entities["contractMaturity"][contract["contractMaturityId"]]
        return self.state.entities["product"][maturity["productId"]]

    def _point(self, contract_id: int) -> Decimal:
        return exact(self._product(contract_id)["valuePerPoint"])

    def tick(self, contract_id: int) -> Decimal:
        """The smallest step of a contract's price."""
        return exact(self._product(contract_id)["tickSize"])


def current_version(state: State, order_id: int) -> Entity:
    """The version of the last command that is New, or a Modify that came through (TP §8)."""
    ids = [
        command["id"]
        for command in state.of_order("command", order_id)
        if command["commandType"] == "New"
        or (command["commandType"] == "Modify" and not _told(state, command).isdisjoint(COMMANDS_THAT_COUNT))
    ]
    return state.entities["orderVersion"][max(ids)]


def _told(state: State, command: Entity) -> set[str | None]:
    """How a command stands, by itself and by its last report: `AtExecution` may be told by one of them only."""
    return {command["commandStatus"], state.reported(command["id"])}


def ledger_state(state: State) -> Ledger:
    """The fields that are compared (and no other), by type and id, as in JSON: ids are strings, and decimals are
    strings of all their digits (`"5000.25"`; without trailing zeros or an exponent). A price that an order does not
    have is None.
    """
    orders = {}
    for order in state.of("order"):
        version = current_version(state, order["id"])
        orders[str(order["id"])] = {
            **_fields(order, "accountId", "contractId", "action", "ordStatus"),
            **_fields(version, "orderQty", "price"),
        }
    return {
        "order": orders,
        "fill": {str(x["id"]): _fields(x, "orderId", "qty", "price") for x in state.of("fill")},
        "position": {
            str(x["id"]): _fields(x, "accountId", "contractId", "netPos", "netPrice") for x in state.of("position")
        },
        "cashBalance": {str(x["id"]): _fields(x, "accountId", "amount") for x in state.of("cashBalance")},
        "account": {str(x["id"]): _fields(x, "name", "active") for x in state.of("account")},
    }


def _fields(entity: Entity, *names: str) -> dict[str, Any]:
    return {name: _value(entity.get(name)) for name in names}


def _value(value: Any) -> Any:
    return format(tidy(value), "f") if isinstance(value, Decimal) else value
