"""The ledger as a client's belief is compared with it: the state of the database, flattened to the compared fields.

An order's quantity and price are those of its current version: the one of its last command of type New, or Modify with
status AtExecution, OnHold or ExecutionSuspended (TP §8).
"""

from __future__ import annotations

from typing import Any

from brokercert_mock.seed import State

TOLD = {
    "fill": ("orderId", "qty", "price"),
    "position": ("accountId", "contractId", "netPos", "netPrice"),
    "cashBalance": ("accountId", "amount"),
    "account": (),
}
ORDER = ("accountId", "contractId", "action", "ordStatus")
IN_FORCE = ("AtExecution", "OnHold", "ExecutionSuspended")


def ledger_state(db: State) -> dict[str, dict[int, dict[str, Any]]]:
    """`{entity type: {id: {field: value}}}`; a field that an entity does not have is left out."""
    current: dict[int, int] = {}  # order id -> id of its current version
    for ident, command in sorted(db.entities["command"].items()):
        kind = command["commandType"]
        if kind == "New" or (kind == "Modify" and command["commandStatus"] in IN_FORCE):
            current[command["orderId"]] = ident
    orders: dict[int, dict[str, Any]] = {}
    for ident, order in db.entities["order"].items():
        version = db.entities["orderVersion"].get(current.get(ident, ident), {})
        orders[ident] = {name: order[name] for name in ORDER if name in order}
        orders[ident] |= {name: version[name] for name in ("orderQty", "price") if name in version}
    others = {
        kind: {
            ident: {name: entity[name] for name in names if name in entity}
            for ident, entity in db.entities[kind].items()
        }
        for kind, names in TOLD.items()
    }
    return {"order": orders, **others}
