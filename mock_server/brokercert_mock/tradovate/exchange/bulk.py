"""History in bulk: finished orders of the past, for snapshots of a given size (TP §5.3, §11 row 10).

They are entities like all others, schema-true and consistent: a finished order with its version, command, reports and
fill. A client that relies on none of these types gets more accounts instead.
"""

from __future__ import annotations

from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.state import TRADE_DATE, TYPES, Entity, State
from brokercert_mock.tradovate.sync import Subscription, snapshot

MOST_ENTRIES = 65_536  # of one collection: what a sensible client may bound it by
HISTORY = ("order", "command", "orderVersion", "commandReport", "executionReport", "fill")
EVERYTHING = Subscription(frozenset(TYPES), None)
STEP = 250  # additions before the first look at how much they make, at most
LARGEST = 1500  # bytes that one addition makes, and no more: an order with all that belongs to it has 1,100


def grow(state: State, subscription: Subscription, size: int, stamp: str) -> dict[str, list[Entity]]:
    """Add history until the snapshot of this subscription has `size` bytes, or a collection is full; the snapshot."""
    if (subscription, size) in state.grown:
        return snapshot(state, subscription)
    add = _order if any(kind in subscription.types for kind in HISTORY) else _account
    had = added = 0
    while True:
        found = snapshot(state, subscription)
        has = len(frames.pack([found]))
        most = max((len(entities) for entities in found.values()), default=0)
        in_vain = added > 0 and has <= had  # this subscription tells of nothing that can be added
        if has >= size or in_vain or most >= MOST_ENTRIES:
            state.grown.add((subscription, size))
            return found
        # As many as the last ones were large: what other subscriptions have had made says nothing of these. The first
        # are few where little is missing: this size is asked of a client, and no more.
        wanted = 1 + (size - has) * added // (has - had) if added else min(STEP, 1 + (size - has) // LARGEST)
        had, added = has, min(wanted, MOST_ENTRIES - most)
        for number in range(added):
            add(state, stamp, number)


def _order(state: State, stamp: str, number: int) -> None:
    contract = state.of("contract")[0]["id"]
    ident = state.new_id()
    common = {"contractId": contract, "timestamp": stamp, "action": "Buy" if number % 2 else "Sell"}
    account = state.accounts[number % len(state.accounts)]
    price = 5000.0 + 0.25 * (number % 400)
    state.put("order", {"id": ident, "accountId": account, **common, "ordStatus": "Filled", "admin": False})
    state.put(
        "command",
        {
            "id": ident,
            "orderId": ident,
            "timestamp": stamp,
            "commandType": "New",
            "commandStatus": "AtExecution",
            "isAutomated": True,
        },
    )
    version = {"id": ident, "orderId": ident, "orderQty": 1, "orderType": "Limit", "price": price, "timeInForce": "Day"}
    state.put("orderVersion", version)
    state.put(
        "commandReport",
        {
            "id": state.new_id(),
            "commandId": ident,
            "timestamp": stamp,
            "commandStatus": "AtExecution",
            "ordStatus": "Working",
        },
    )
    state.put(
        "executionReport",
        {
            "id": state.new_id(),
            "commandId": ident,
            "name": "fill",
            "accountId": account,
            **common,
            "tradeDate": TRADE_DATE,
            "orderId": ident,
            "execType": "Trade",
            "ordStatus": "Filled",
            "cumQty": 1,
            "avgPx": price,
            "lastQty": 1,
            "lastPx": price,
        },
    )
    state.put(
        "fill",
        {
            "id": state.new_id(),
            "orderId": ident,
            **common,
            "tradeDate": TRADE_DATE,
            "qty": 1,
            "price": price,
            "active": True,
            "finallyPaired": 1,
        },
    )


def _account(state: State, stamp: str, number: int) -> None:
    first = state.of("account")[0]
    ident = state.new_id()
    state.put("account", first | {"id": ident, "name": f"HIST{ident}", "timestamp": stamp})
    for kind in ("cashBalance", "accountRiskStatus", "marginSnapshot"):
        for entity in state.of(kind)[:1]:
            own = {"id": state.new_id(), "accountId": ident} if "accountId" in entity else {"id": ident}
            state.put(kind, entity | own)
