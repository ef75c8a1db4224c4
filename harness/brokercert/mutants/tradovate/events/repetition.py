"""Defects of taking what is said twice."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.register import whole
from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.state import FIELDS
from brokercert.reference.tradovate.store import Store

Entity = dict[str, Any]


class _CountingFills(Store):
    """Positions are counted from fills; all else of them is as told."""

    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        positions = self.entities.setdefault("position", {})
        if kind == "fill" and not deleted:
            order = self.entities.get("order", {}).get(whole(entity.get("orderId")), {})
            mine = (order.get("accountId"), entity.get("contractId"))
            size = whole(entity.get("qty")) * (1 if entity.get("action") == "Buy" else -1)
            for ident, position in positions.items():
                if (position.get("accountId"), position.get("contractId")) == mine:
                    positions[ident] = {**position, "netPos": whole(position.get("netPos")) + size}
        if kind == "position" and not deleted and entity["id"] in positions:
            entity = {**entity, "netPos": positions[entity["id"]].get("netPos")}
        return super()._one(kind, deleted, entity)


@mutant(
    "counts-a-repeated-fill",
    "EVT-060",
    fields="position.netPos",
    reason="a fill that is delivered twice is one fill, and the position what it was",
)
class CountsRepeatedFill(ReferenceClient):
    """Adds every fill that it is told of to the position, one that it knows already as well."""

    store_class = _CountingFills


class _ListOfFills(Store):
    """Fills in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.fills: list[Entity] = []

    def replace(self, snapshot: Entity) -> None:
        super().replace(snapshot)
        self.fills = list(self.entities.get("fill", {}).values())

    def add(self, snapshot: Entity) -> None:
        super().add(snapshot)
        self.fills += snapshot.get("fills", [])

    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        if kind == "fill" and not deleted:
            self.fills.append(entity)
        return super()._one(kind, deleted, entity)


@mutant(
    "lists-a-repeated-fill",
    "EVT-060",
    fields="fill.absence",
    reason="a fill that is delivered twice stands once in what the client believes",
)
class ListsRepeatedFill(ReferenceClient):
    """Appends every fill to a list, one that it knows already as well."""

    store_class = _ListOfFills

    def state(self) -> dict[str, list[Entity]]:
        told = super().state()
        fills = [fill for store in self.stores if isinstance(store, _ListOfFills) for fill in store.fills]
        return told | {"fill": [{name: fill[name] for name in ("id", "orderId", "qty", "price")} for fill in fills]}


class _Every(Store):
    """Keeps what an update replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[tuple[str, Entity]] = []

    def replace(self, snapshot: Entity) -> None:
        super().replace(snapshot)
        self.before = []

    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        known = self.entities.get(kind, {}).get(entity["id"])
        changed = super()._one(kind, deleted, entity)
        if deleted:
            self.before = [(of, one) for of, one in self.before if (of, one["id"]) != (kind, entity["id"])]
        elif changed and known is not None:
            self.before.append((kind, known))
        return changed


@mutant(
    "appends-updates",
    "EVT-050",
    also="EVT-060 EVT-070 EVT-080 EVT-120 EVT-130 REC-040",
    fields="order.ordStatus position.netPos position.netPrice cashBalance.amount",
    reason="an update replaces: who has a position as it was and as it is believes two",
)
class AppendsUpdates(ReferenceClient):
    """Appends what an update says to a list, and leaves what was there before."""

    store_class = _Every

    def state(self) -> dict[str, list[Entity]]:
        told = super().state()
        for store in self.stores:
            if isinstance(store, _Every):
                for kind, one in reversed(store.before):
                    if kind in ("order", "position", "cashBalance"):
                        told[kind].insert(0, {name: one[name] for name in ("id", *FIELDS[kind]) if name in one})
        return told


class _Brittle(Store):
    def _event(self, data: Any) -> int:
        entity = data.get("entity") if isinstance(data, dict) else None
        if isinstance(entity, dict) and data.get("eventType") == "Created":
            if self.entities.get(str(data.get("entityType")), {}).get(whole(entity.get("id"))) == entity:
                raise LookupError(f"{data.get('entityType')} {entity.get('id')} is there already")
        return super()._event(data)


REPEATING = "hostile frames are made of valid ones, and say some things twice"


@mutant(
    "dies-of-a-second-creation",
    "EVT-060",
    also={"MSG-015": REPEATING, "MSG-030": REPEATING, "MSG-050": REPEATING},
    reason="an event that comes twice changes nothing, and ends nobody",
)
class DiesOfSecondCreation(ReferenceClient):
    """Ends when something is `Created` once more as it is."""

    store_class = _Brittle


class _BrittleDeletions(Store):
    def __init__(self) -> None:
        super().__init__()
        self._gone: set[tuple[str, int]] = set()

    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        if deleted:
            if (kind, entity["id"]) in self._gone:
                raise LookupError(f"{kind} {entity['id']} is gone already")
            self._gone.add((kind, entity["id"]))
        return super()._one(kind, deleted, entity)


@mutant(
    "dies-of-a-second-deletion",
    "EVT-060",
    also={"MSG-015": REPEATING, "MSG-030": REPEATING, "MSG-050": REPEATING},
    reason="an event that comes twice changes nothing, and ends nobody",
)
class DiesOfSecondDeletion(ReferenceClient):
    """Ends when something is `Deleted` once more."""

    store_class = _BrittleDeletions


class _DeafToRepetitions(Store):
    def __init__(self) -> None:
        super().__init__()
        self._taken: set[tuple[str, int, str]] = set()

    def _event(self, data: Any) -> int:
        entity = data.get("entity") if isinstance(data, dict) else None
        if isinstance(entity, dict):
            key = (str(data.get("entityType")), whole(entity.get("id")), str(data.get("eventType")))
            if key in self._taken:
                return 0
            self._taken.add(key)
        return super()._event(data)


@mutant(
    "takes-a-second-update-for-a-repetition",
    "EVT-050",
    also="EVT-060 EVT-070 EVT-080 EVT-120 EVT-130 REC-040",
    fields="order.ordStatus position.netPos cashBalance.amount",
    reason="an order is updated more than once in every flow, and each update is news",
)
class DeafToRepetitions(ReferenceClient):
    """Takes an event for a repetition where it had one of the same type, id and change."""

    store_class = _DeafToRepetitions
