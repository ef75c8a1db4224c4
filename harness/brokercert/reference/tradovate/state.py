"""What the client believes, as it is told on request: the stores of all shards, flattened to what a user asks about.

An order has quantity and price in versions of it. Its current one is that of its last command of type New, or Modify
that came into force (TP §8); what became of a command is in its last report, or in itself where there is none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from brokercert.reference.tradovate.store import Store

Entities = dict[int, dict[str, Any]]

FIELDS = {
    "order": ("accountId", "contractId", "action", "ordStatus"),
    "fill": ("orderId", "qty", "price"),
    "position": ("accountId", "contractId", "netPos", "netPrice"),
    "cashBalance": ("accountId", "amount"),
    "account": ("name",),
}
IN_FORCE = frozenset({"AtExecution", "OnHold", "ExecutionSuspended"})


def state_of(stores: Iterable[Store]) -> dict[str, list[dict[str, Any]]]:
    """Entities by type; a field that is not known is left out."""
    held: dict[str, Entities] = {}
    for store in stores:
        for kind, entities in store.entities.items():
            held.setdefault(kind, {}).update(entities)
    versions = current_versions(held.get("command", {}), held.get("commandReport", {}))
    result: dict[str, list[dict[str, Any]]] = {}
    for kind, names in FIELDS.items():
        told = result[kind] = []
        for ident, entity in held.get(kind, {}).items():
            one = {"id": ident, **{name: entity[name] for name in names if name in entity}}
            if kind == "order":
                version = held.get("orderVersion", {}).get(versions.get(ident, ident), {})
                one |= {name: version[name] for name in ("orderQty", "price") if name in version}
            told.append(one)
    return result


def current_versions(commands: Entities, reports: Entities, in_force: Collection[str] = IN_FORCE) -> dict[int, int]:
    """Order id -> id of its current version, which is that of the command that made it. `in_force`: the statuses at
    which a modification counts.
    """
    last: dict[int, Any] = {}
    for _, report in sorted(reports.items()):
        last[report.get("commandId", 0)] = report.get("commandStatus")
    current: dict[int, int] = {}
    for ident, command in sorted(commands.items()):
        kind, order = command.get("commandType"), command.get("orderId")
        status = last.get(ident, command.get("commandStatus"))
        if isinstance(order, int) and (kind == "New" or (kind == "Modify" and status in in_force)):
            current[order] = ident
    return current
