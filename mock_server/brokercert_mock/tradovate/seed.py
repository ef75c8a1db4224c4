"""The seeded state: one user, accounts, contracts, orders with versions, fills, positions, cash (TP §8).

Entities satisfy the vendor's schema, required fields and all. One counter numbers all of them, and an order's id is
its New command's and its first version's, as observed. The same seed gives the same state.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from brokercert_mock.tradovate.exchange.market import Exchange

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
READ_ONLY = ("userSession",)  # an entity (TP §8) that no sync answer has (TP §5.2): it can be read, and has no events

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
    "userSession": "userId",  # [ours]
}


class Change(NamedTuple):
    """An entity as it became (or, `Deleted`, as it last was), and the account that it belonged to then."""

    kind: str
    event_type: Literal["Created", "Updated", "Deleted"]
    entity: Entity
    account: int | None


@dataclass(slots=True)
class State:
    """All entities, by type (singular) and id. An entity is never changed in place: a new one takes its id, so that
    what was handed out (a snapshot, an event kept back) stays as it was.
    """

    user_id: int = 0
    session_id: int = 0  # the user's own by hand
    accounts: list[int] = field(default_factory=list)
    entities: dict[str, dict[int, Entity]] = field(default_factory=lambda: {kind: {} for kind in (*TYPES, *READ_ONLY)})
    _by_order: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    _reported: dict[int, str] = field(default_factory=dict)
    _next: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 60)))

    def new_id(self) -> int:
        return next(self._next)

    def put(self, kind: str, entity: Entity) -> Entity:
        held = self.entities[kind]
        if kind in ("command", "orderVersion", "fill") and entity["id"] not in held:
            self._by_order.setdefault((kind, entity["orderId"]), []).append(entity["id"])
        elif kind == "commandReport":
            self._reported[entity["commandId"]] = entity["commandStatus"]
        held[entity["id"]] = entity
        return entity

    def change(self, kind: str, entity: Entity) -> Change:
        """Put an entity, and say how that is told: `Created`, or `Updated` where its id is known."""
        known = entity["id"] in self.entities[kind]
        self.put(kind, entity)
        return Change(kind, "Updated" if known else "Created", entity, self.account_of(kind, entity))

    def remove(self, kind: str, ident: int) -> Change:
        """Take an entity away. KeyError where there is none."""
        entity = self.entities[kind][ident]
        account = self.account_of(kind, entity)
        del self.entities[kind][ident]
        return Change(kind, "Deleted", entity, account)

    def of_order(self, kind: Literal["command", "orderVersion", "fill"], order_id: int) -> list[Entity]:
        """The commands, versions or fills of an order, oldest first."""
        held = self.entities[kind]
        return [held[ident] for ident in self._by_order.get((kind, order_id), ()) if ident in held]

    def reported(self, command_id: int) -> str | None:
        """The status that a command's last report told."""
        return self._reported.get(command_id)

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


BY_HAND = 1  # the client app of the broker's own trading page [ours]
TRADE_DATE = {"year": 2026, "month": 1, "day": 5}


def seeded(rng: random.Random, stamp: Callable[[], str]) -> State:
    """A state of one user with three accounts (so that shards have work), two contracts and no order."""
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
    for _ in range(3):
        _account(state, rng, now)
    for number, account_id in enumerate(state.accounts):
        _money(state, now, account_id, Decimal("50000.50") + Decimal("1000.25") * number)
    state.put("userReadStatus", {"id": state.new_id(), "userId": user["id"], "newsStoryId": 1})
    state.put("userProperty", {"id": state.new_id(), "userId": user["id"], "propertyId": state.of("property")[0]["id"]})
    state.session_id = start_session(state, now, BY_HAND)
    return state


def start_session(state: State, now: str, client_app_id: int, **more: Any) -> int:
    """A session of the user, with what is known of it: `appId`, `appVersion`, `ipAddress`. Its id."""
    ident = state.new_id()
    session = {"id": ident, "userId": state.user_id, "startTime": now, "clientAppId": client_app_id}
    return int(state.put("userSession", session | more)["id"])


def _market(state: State, now: str) -> None:
    currency = state.put("currency", {"id": state.new_id(), "name": "USD", "symbol": "$"})
    exchange = state.put("exchange", {"id": state.new_id(), "name": "CME"})
    group = state.put("contractGroup", {"id": state.new_id(), "name": "Equity Index"})
    state.put("property", {"id": state.new_id(), "name": "theme", "propertyType": "String"})
    state.put("orderStrategyType", {"id": state.new_id(), "name": "multibracket", "enabled": True})
    for name, tick, point in (("ES", Decimal("0.25"), Decimal(50)), ("NQ", Decimal("0.25"), Decimal(20))):
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


def _account(state: State, rng: random.Random, now: str) -> None:
    """An account. Their numbers follow one another, so that every shard of two or three has one."""
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


def _money(state: State, now: str, account_id: int, amount: Decimal) -> None:
    state.put(
        "cashBalance",
        {
            "id": state.new_id(),
            "accountId": account_id,
            "timestamp": now,
            "tradeDate": TRADE_DATE,
            "currencyId": state.of("currency")[0]["id"],
            "amount": amount,
            "realizedPnL": Decimal(0),
        },
    )
    state.put("accountRiskStatus", {"id": account_id, "adminAction": "Normal", "liquidateOnly": False})
    state.put(
        "marginSnapshot",
        {
            "id": account_id,
            "timestamp": now,
            "riskTimePeriodId": 1,
            "initialMargin": Decimal(0),
            "maintenanceMargin": Decimal(0),
            "totalUsedMargin": Decimal(0),
            "fullInitialMargin": Decimal(0),
            "positionMargin": Decimal(0),
            "totalUsedFullMargin": Decimal(0),
        },
    )


def seed_orders(exchange: Exchange, rng: random.Random, orders: int) -> None:
    """Orders over all accounts and contracts, placed on the exchange as any other; the first and every fourth after it
    is filled. They were sent by hand, in a session of their own.
    """
    state = exchange.state
    symbols = [contract["name"] for contract in state.of("contract")]
    for number in range(orders):
        symbol = symbols[number // 2 % len(symbols)]
        order_id = exchange.place(
            state.accounts[number % len(state.accounts)],
            symbol,
            "Buy" if number % 2 == 0 else "Sell",
            1 + number % 3,
            price=exchange.price_of(symbol) + Decimal("0.25") * rng.randrange(-200, 200),
        )
        if number % 4 == 0:
            exchange.fill(order_id)
