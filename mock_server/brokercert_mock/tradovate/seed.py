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
# What the accounts are called, before a number: a name may have any character (TP §8), of two units of UTF-16 too.
NAMES = ("DEMO", "Счёт", "口座🚀")
AMOUNTS = (Decimal("50000.50"), Decimal("123456789012.75"), Decimal("-1250.25"))  # the accounts' cash
US_DOLLAR = 1  # `currencyId` is an internal number, and this is the dollar's (observed; TP §8)
# Ids are integers of 64 bits (TP §8): beyond 32, and exact in a double though plays make them longer by some digits.
FIRST_ID = 1 << 33


def seeded(rng: random.Random, stamp: Callable[[], str], before: str) -> State:
    """A state of one user with three accounts (so that shards have work), two contracts and no order. `stamp` gives the
    time; what is older than the day has the time `before`.
    """
    state = State()
    state.number_from(FIRST_ID + rng.randrange(60_000, 90_000))
    now = stamp()
    user = state.put(
        "user",
        {
            "id": state.new_id(),
            "name": "cert-user",
            "timestamp": before,
            "email": "cert-user@example.com",
            "status": "Active",
            "professional": False,
            "organizationId": 1,
        },
    )
    state.user_id = user["id"]
    _market(state, before)
    for name in NAMES:
        _account(state, rng, name, before)
    for account_id, amount in zip(state.accounts, AMOUNTS, strict=True):
        _money(state, now, account_id, amount, whole=amount < 0)
    state.put("userReadStatus", {"id": state.new_id(), "userId": user["id"], "newsStoryId": 1})
    state.put("userProperty", {"id": state.new_id(), "userId": user["id"], "propertyId": state.of("property")[0]["id"]})
    state.session_id = state.start_session(now, BY_HAND)
    return state


def _market(state: State, now: str) -> None:
    currency = state.put("currency", {"id": US_DOLLAR, "name": "USD", "symbol": "$"})
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
                "expirationDate": "2026-03-20T13:30Z",
                "isFront": True,
            },
        )
        state.put(
            "contract",
            {"id": state.new_id(), "name": f"{name}H6", "contractMaturityId": maturity["id"], "timestamp": now},
        )


def _account(state: State, rng: random.Random, name: str, now: str) -> None:
    """An account. Their numbers follow one another, so that every shard of two or three has one."""
    account = state.put(
        "account",
        {
            "id": state.new_id(),
            "name": f"{name}{rng.randrange(100_000, 999_999)}",
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


def _money(state: State, now: str, account_id: int, amount: Decimal, *, whole: bool) -> None:
    """Its balance, risk status and margin; `whole`: with every optional field."""
    of_day = {"weekRealizedPnL": Decimal("-0.5"), "amountSOD": amount}
    levels = {"autoLiqLevel": Decimal(-1), "liqOnlyLevel": Decimal(0), "openCollateralReq": Decimal("0.01")}
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
            **(of_day if whole else {}),
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
            **(levels if whole else {}),
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
