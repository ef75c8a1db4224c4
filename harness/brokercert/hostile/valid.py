"""Valid messages, as TP §3, §4 and §8 give them: what hostile ones are made from.

Ids lie far from the mock broker's own, and answers carry request ids that no client counts up to, so that no message
says anything about what a client holds or has asked.
"""

from __future__ import annotations

from random import Random
from typing import Any

Message = dict[str, Any]

FAR = 7_000_000_000  # below every id of a seeded broker (2^40 and more), above 2^32
NOBODY = 8_000_000_000_000  # request ids from here on were given to no request
NOW = "2026-01-05T14:30:00.000Z"
DATE = {"year": 2026, "month": 1, "day": 5}

ENTITIES: dict[str, Message] = {
    "order": {
        "id": FAR + 1,
        "accountId": FAR + 101,
        "contractId": FAR + 102,
        "timestamp": NOW,
        "action": "Buy",
        "ordStatus": "Working",
        "admin": False,
    },
    "orderVersion": {
        "id": FAR + 2,
        "orderId": FAR + 1,
        "orderQty": 2,
        "orderType": "Limit",
        "price": 5000.25,
        "timeInForce": "Day",
        "text": "Zürich ☃ 𝄞",
    },
    "fill": {
        "id": FAR + 3,
        "orderId": FAR + 1,
        "contractId": FAR + 102,
        "timestamp": NOW,
        "tradeDate": DATE,
        "action": "Buy",
        "qty": 1,
        "price": 5000.25,
        "active": True,
        "finallyPaired": 0,
    },
    "position": {
        "id": FAR + 4,
        "accountId": FAR + 101,
        "contractId": FAR + 102,
        "timestamp": NOW,
        "tradeDate": DATE,
        "netPos": 1,
        "netPrice": 5000.25,
        "bought": 1,
        "boughtValue": 5000.25,
        "sold": 0,
        "soldValue": 0.0,
        "prevPos": 0,
    },
    "cashBalance": {
        "id": FAR + 5,
        "accountId": FAR + 101,
        "timestamp": NOW,
        "tradeDate": DATE,
        "currencyId": FAR + 103,
        "amount": 50000.25,
        "realizedPnL": -12.5,
    },
    "account": {
        "id": FAR + 101,
        "name": "DEMO☃1",
        "userId": FAR + 104,
        "accountType": "Customer",
        "active": True,
        "legalStatus": "Individual",
        "timestamp": NOW,
    },
    "command": {
        "id": FAR + 6,
        "orderId": FAR + 1,
        "timestamp": NOW,
        "commandType": "New",
        "commandStatus": "AtExecution",
        "isAutomated": True,
    },
    "executionReport": {
        "id": FAR + 7,
        "commandId": FAR + 6,
        "name": "fill",
        "accountId": FAR + 101,
        "contractId": FAR + 102,
        "timestamp": NOW,
        "tradeDate": DATE,
        "orderId": FAR + 1,
        "execType": "Trade",
        "ordStatus": "Filled",
        "action": "Buy",
        "cumQty": 1,
        "avgPx": 5000.25,
        "lastQty": 1,
        "lastPx": 5000.25,
    },
    "contract": {"id": FAR + 102, "name": "ESH6", "contractMaturityId": FAR + 105, "timestamp": NOW},
}
CHANGES = ("Created", "Updated", "Deleted")


def event(kind: str, change: str) -> Message:
    return {"e": "props", "d": {"entityType": kind, "eventType": change, "entity": ENTITIES[kind]}}


MESSAGES: tuple[Message, ...] = (
    *(event(kind, change) for kind in ENTITIES for change in CHANGES),
    {"e": "props", "d": {"entityType": "fill", "eventType": "Created", "entity": [ENTITIES["fill"]]}},
    {"s": 200, "i": NOBODY, "d": {"userId": FAR + 104, "name": "cert-user"}},
    {"s": 200, "i": NOBODY + 1, "d": [ENTITIES["order"], ENTITIES["order"]]},
    {"s": 404, "i": NOBODY + 2, "d": "Not found: account/item"},
)


def message(rng: Random) -> Message:
    """One valid message. It is shared: whoever changes it copies what is changed."""
    return MESSAGES[int(rng.random() * len(MESSAGES))]
