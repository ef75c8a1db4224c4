"""What the client believes: entities by type and id. Idempotent: the same event again changes nothing (TP §4).

A snapshot replaces everything; `Created` and `Updated` carry the whole entity and replace by id; `Deleted` removes.
There is no sequence number in any event, so that only content can tell a repetition.
"""

from __future__ import annotations

from typing import Any

TERMINAL = frozenset({"Canceled", "Completed", "Expired", "Filled", "Rejected"})
MOST_ENTITIES = 500_000  # of one type: eight times the largest collection that a scenario sends
CHANGES = ("Created", "Updated", "Deleted")


def singular(name: str) -> str:
    """A snapshot's collection as an entity type: `orders`, `properties`, `accountRiskStatuses` (TP §5.2)."""
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith("ses"):
        return name[:-2]
    return name[:-1] if name.endswith("s") else name


class Store:
    """Entities by type (singular, lower camel) and id."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[int, dict[str, Any]]] = {}

    def replace(self, snapshot: dict[str, Any]) -> None:
        """Take a snapshot for everything that there is."""
        fresh: dict[str, dict[int, dict[str, Any]]] = {}
        for name, collection in snapshot.items():
            if isinstance(collection, list):
                fresh[singular(name)] = {x["id"]: x for x in collection if _is_entity(x)}
        self.entities = fresh

    def add(self, snapshot: dict[str, Any]) -> None:
        """Take another part of a snapshot: what is not known yet. What an event has told since is newer."""
        for name, collection in snapshot.items():
            if isinstance(collection, list):
                held = self.entities.setdefault(singular(name), {})
                for entity in collection:
                    if _is_entity(entity) and len(held) < MOST_ENTITIES:
                        held.setdefault(entity["id"], entity)

    def apply(self, data: Any) -> int:
        """Apply the `d` of a props event; how many entities it changed. What it cannot read it leaves alone."""
        if isinstance(data, list):
            return sum(self._event(element) for element in data)
        return self._event(data)

    def _event(self, data: Any) -> int:
        if not isinstance(data, dict):
            return 0
        kind, change, entity = data.get("entityType"), data.get("eventType"), data.get("entity")
        if not isinstance(kind, str) or change not in CHANGES:
            return 0
        changed = 0
        for one in entity if isinstance(entity, list) else [entity]:
            if isinstance(one, dict) and _is_entity(one):
                changed += self._one(kind, change == "Deleted", one)
        return changed

    def _one(self, kind: str, deleted: bool, entity: dict[str, Any]) -> int:
        held = self.entities.setdefault(kind, {})
        ident = entity["id"]
        if deleted:
            return 1 if held.pop(ident, None) is not None else 0
        before = held.get(ident)
        if before == entity or self.is_stale(kind, before, entity):
            return 0
        if before is None and len(held) >= MOST_ENTITIES:
            return 0
        held[ident] = entity
        return 1

    def is_stale(self, kind: str, before: dict[str, Any] | None, entity: dict[str, Any]) -> bool:
        """A finished order does not come back to life by a late update."""
        if kind != "order" or before is None:
            return False
        return _is_finished(before) and not _is_finished(entity)


def _is_finished(order: dict[str, Any]) -> bool:
    """A status may be anything, things that cannot be looked up included."""
    status = order.get("ordStatus")
    return isinstance(status, str) and status in TERMINAL


def _is_entity(value: Any) -> bool:
    return isinstance(value, dict) and type(value.get("id")) is int
