"""The seeded state: one user, accounts, contracts, orders with versions, fills, positions, cash (TP §8).

Entities satisfy the vendor's schema, required fields and all. One counter numbers all of them, and an order's id is
its New command's and its first version's, as observed. The same seed gives the same state.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]

COLLECTIONS = (
    "users userProperties properties accounts accountRiskStatuses marginSnapshots userAccountAutoLiqs cashBalances"
    " currencies positions fillPairs orders contracts contractMaturities products exchanges spreadDefinitions commands"
    " commandReports executionReports orderVersions fills fillFees orderStrategies orderStrategyLinks userPlugins"
    " annualReviews userReadStatuses userPromoCodes contractGroups orderStrategyTypes"
).split()


def singular(name: str) -> str:
    """`orders` -> `order`, `userProperties` -> `userProperty`, `accountRiskStatuses` -> `accountRiskStatus`."""
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-2] if name.endswith("ses") else name[:-1]


TYPES = {singular(name): name for name in COLLECTIONS}
LOWER = {form.lower(): kind for kind, plural in TYPES.items() for form in (kind, plural)}

# Whose entities hang on which master (TP §8): for `deps` and `ldeps`.
MASTERS = {
    "account": "userId",
    "accountRiskStatus": "id",
    "marginSnapshot": "id",
    "userAccountAutoLiq": "id",
    "cashBalance": "accountId",
    "order": "accountId",
    "position": "accountId",
    "command": "orderId",
    "orderVersion": "orderId",
    "fill": "orderId",
    "fillFee": "id",
    "commandReport": "commandId",
    "executionReport": "commandId",
    "fillPair": "positionId",
    "contract": "contractMaturityId",
    "contractMaturity": "productId",
    "product": "exchangeId",
    "userProperty": "userId",
    "userPlugin": "userId",
    "userReadStatus": "userId",
    "orderStrategy": "accountId",
    "orderStrategyLink": "orderStrategyId",
}


@dataclass(slots=True)
class State:
    """All entities, by type (singular) and id."""

    user_id: int = 0
    accounts: list[int] = field(default_factory=list)
    entities: dict[str, dict[int, Entity]] = field(default_factory=lambda: {kind: {} for kind in TYPES})
    _next: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 60)))

    def new_id(self) -> int:
        return next(self._next)

    def put(self, kind: str, entity: Entity) -> Entity:
        self.entities[kind][entity["id"]] = entity
        return entity

    def of(self, kind: str) -> list[Entity]:
        return list(self.entities[kind].values())

    def account_of(self, kind: str, entity: Entity) -> int | None:
        """The account that an entity belongs to, through its order where it names none itself."""
        if kind == "account":
            return int(entity["id"])
        if kind in ("accountRiskStatus", "marginSnapshot", "userAccountAutoLiq"):
            return int(entity["id"])
        if "accountId" in entity:
            return int(entity["accountId"])
        order_id = entity.get("orderId")
        if order_id is None and "commandId" in entity:
            order_id = self.entities["command"].get(entity["commandId"], {}).get("orderId")
        if order_id is None and kind == "fillFee":
            order_id = self.entities["fill"].get(entity["id"], {}).get("orderId")
        if "positionId" in entity:
            position = self.entities["position"].get(entity["positionId"])
            return int(position["accountId"]) if position else None
        order = self.entities["order"].get(order_id) if order_id is not None else None
        return int(order["accountId"]) if order else None


TRADE_DATE = {"year": 2026, "month": 1, "day": 5}


def seeded(rng: random.Random, stamp: Callable[[], str], orders: int) -> State:
    """A state of one user with three accounts (so that shards have work) and `orders` orders."""
    state = State()
    state._next = iter(range(rng.randrange(60_000, 90_000), 1 << 60))
    now = stamp()
    user = state.put(
        "user",
        {
            "id": state.new_id(),
            "name": "cert-user",
            "timestamp": now,
            "email": "cert-user@example.com",
            "status": "Active",
            "professional": False,
            "organizationId": 1,
        },
    )
    state.user_id = user["id"]
    _market(state, now)
    contracts = state.of("contract")
    for number in range(3):
        _account(state, rng, now, number)
    for number in range(orders):
        _order(state, rng, now, contracts[number % len(contracts)], number)
    state.put("userReadStatus", {"id": state.new_id(), "userId": user["id"], "newsStoryId": 1})
    state.put("userProperty", {"id": state.new_id(), "userId": user["id"], "propertyId": state.of("property")[0]["id"]})
    return state


def _market(state: State, now: str) -> None:
    currency = state.put("currency", {"id": state.new_id(), "name": "USD", "symbol": "$"})
    exchange = state.put("exchange", {"id": state.new_id(), "name": "CME"})
    group = state.put("contractGroup", {"id": state.new_id(), "name": "Equity Index"})
    state.put("property", {"id": state.new_id(), "name": "theme", "propertyType": "String"})
    state.put("orderStrategyType", {"id": state.new_id(), "name": "multibracket", "enabled": True})
    for name, tick, point in (("ES", 0.25, 50.0), ("NQ", 0.25, 20.0)):
        product = state.put(
            "product",
            {
                "id": state.new_id(),
                "name": name,
                "currencyId": currency["id"],
                "productType": "Futures",
                "description": f"E-mini {name}",
                "exchangeId": exchange["id"],
                "contractGroupId": group["id"],
                "status": "Verified",
                "valuePerPoint": point,
                "priceFormatType": "Decimal",
                "priceFormat": 2,
                "tickSize": tick,
            },
        )
        maturity = state.put(
            "contractMaturity",
            {
                "id": state.new_id(),
                "productId": product["id"],
                "expirationMonth": 202603,
                "expirationDate": "2026-03-20T13:30:00.000Z",
                "isFront": True,
            },
        )
        state.put(
            "contract",
            {"id": state.new_id(), "name": f"{name}H6", "contractMaturityId": maturity["id"], "timestamp": now},
        )


def _account(state: State, rng: random.Random, now: str, number: int) -> None:
    account = state.put(
        "account",
        {
            "id": state.new_id(),
            "name": f"DEMO{rng.randrange(100_000, 999_999)}",
            "userId": state.user_id,
            "accountType": "Customer",
            "active": True,
            "restricted": False,
            "closed": False,
            "clearingHouseId": 2,
            "riskCategoryId": 3,
            "autoLiqProfileId": 7,
            "marginAccountType": "Speculator",
            "legalStatus": "Individual",
            "timestamp": now,
        },
    )
    state.accounts.append(account["id"])
    state.put(
        "cashBalance",
        {
            "id": state.new_id(),
            "accountId": account["id"],
            "timestamp": now,
            "tradeDate": TRADE_DATE,
            "currencyId": state.of("currency")[0]["id"],
            "amount": 50_000.0 + 1_000.25 * number,
            "realizedPnL": 0.0,
        },
    )
    state.put("accountRiskStatus", {"id": account["id"], "adminAction": "Normal", "liquidateOnly": False})
    state.put(
        "marginSnapshot",
        {
            "id": account["id"],
            "timestamp": now,
            "riskTimePeriodId": 1,
            "initialMargin": 0.0,
            "maintenanceMargin": 0.0,
            "totalUsedMargin": 0.0,
            "fullInitialMargin": 0.0,
            "positionMargin": 0.0,
            "totalUsedFullMargin": 0.0,
        },
    )


def _order(state: State, rng: random.Random, now: str, contract: Entity, number: int) -> None:
    account_id = state.accounts[number % len(state.accounts)]
    action = "Buy" if number % 2 == 0 else "Sell"
    filled = number % 3 == 0
    ident = state.new_id()
    price = 5000.0 + 0.25 * rng.randrange(0, 400)
    qty = 1 + number % 3
    state.put(
        "order",
        {
            "id": ident,
            "accountId": account_id,
            "contractId": contract["id"],
            "timestamp": now,
            "action": action,
            "ordStatus": "Filled" if filled else "Working",
            "admin": False,
        },
    )
    state.put(
        "command",
        {
            "id": ident,
            "orderId": ident,
            "timestamp": now,
            "commandType": "New",
            "commandStatus": "AtExecution",
            "isAutomated": True,
        },
    )
    state.put(
        "orderVersion",
        {
            "id": ident,
            "orderId": ident,
            "orderQty": qty,
            "orderType": "Limit",
            "price": price,
            "timeInForce": "Day",
        },
    )
    report = state.new_id()
    state.put(
        "commandReport",
        {"id": report, "commandId": ident, "timestamp": now, "commandStatus": "AtExecution", "ordStatus": "Working"},
    )
    if filled:
        _fill(state, now, contract, account_id, ident, action, qty, price)


def _fill(
    state: State, now: str, contract: Entity, account_id: int, order_id: int, action: str, qty: int, price: float
) -> None:
    state.put(
        "executionReport",
        {
            "id": state.new_id(),
            "commandId": order_id,
            "name": "fill",
            "accountId": account_id,
            "contractId": contract["id"],
            "timestamp": now,
            "tradeDate": TRADE_DATE,
            "orderId": order_id,
            "execType": "Trade",
            "ordStatus": "Filled",
            "action": action,
            "cumQty": qty,
            "avgPx": price,
            "lastQty": qty,
            "lastPx": price,
        },
    )
    state.put(
        "fill",
        {
            "id": state.new_id(),
            "orderId": order_id,
            "contractId": contract["id"],
            "timestamp": now,
            "tradeDate": TRADE_DATE,
            "action": action,
            "qty": qty,
            "price": price,
            "active": True,
            "finallyPaired": 0,
        },
    )
    signed = qty if action == "Buy" else -qty
    state.put(
        "position",
        {
            "id": state.new_id(),
            "accountId": account_id,
            "contractId": contract["id"],
            "timestamp": now,
            "tradeDate": TRADE_DATE,
            "netPos": signed,
            "netPrice": price,
            "bought": max(signed, 0),
            "boughtValue": max(signed, 0) * price,
            "sold": max(-signed, 0),
            "soldValue": max(-signed, 0) * price,
            "prevPos": 0,
        },
    )
