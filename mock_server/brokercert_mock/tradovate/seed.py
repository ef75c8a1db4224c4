"""The seeded state: one user, accounts, contracts, orders with versions, fills, positions, cash (TP §8).

The same seed gives the same state.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from brokercert_mock.tradovate.exchange.market import Exchange
from brokercert_mock.tradovate.state import TRADE_DATE, State

BY_HAND = 1  # the client app of the broker's own trading page [ours]


def seeded(rng: random.Random, stamp: Callable[[], str]) -> State:
    """A state of one user with three accounts (so that shards have work), two contracts and no order."""
    state = State()
    state.number_from(rng.randrange(60_000, 90_000))
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
    state.session_id = state.start_session(now, BY_HAND)
    return state


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
