"""Defects of taking events and snapshots: what the client then believes is not what is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert.mutants.mutant import mutant
from brokercert.reference import wire
from brokercert.reference.client import ReferenceClient
from brokercert.reference.requests import Outcome
from brokercert.reference.session import Session
from brokercert.reference.store import Store

Entity = dict[str, Any]


def whole(value: Any) -> int:
    """A number as it should be; 0 for whatever a hostile broker puts there: that is another defect's matter."""
    return value if type(value) is int else 0


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
    also={"MSG-015": REPEATING, "MSG-030": REPEATING},
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


class _OnlyWhatItHad(Store):
    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        if entity["id"] not in self.entities.get(kind, {}):
            return 0
        return super()._one(kind, deleted, entity)


@mutant(
    "knows-only-its-snapshot",
    "EVT-050",
    also="EVT-060 EVT-070 EVT-080 EVT-120 REC-040",
    fields="order.presence fill.presence position.presence",
    reason="new orders, fills and positions come with every flow",
)
class KnowsOnlySnapshot(ReferenceClient):
    """Updates what its snapshot had, and drops whatever is new."""

    store_class = _OnlyWhatItHad


class _HastyFills(Store):
    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        changed = super()._one(kind, deleted, entity)
        order = self.entities.get("order", {}).get(whole(entity.get("orderId")))
        if kind == "fill" and order is not None:
            self.entities["order"][order["id"]] = {**order, "ordStatus": "Filled"}
        return changed


@mutant(
    "takes-a-part-for-the-whole",
    "EVT-050",
    also="EVT-060 EVT-070 EVT-080 EVT-120 REC-040",
    fields="order.ordStatus",
    reason="an order that is filled in part goes on working",
)
class TakesPartForWhole(ReferenceClient):
    """Takes an order for filled at its first fill."""

    store_class = _HastyFills


@mutant(
    "keeps-its-own-copy-of-an-order",
    "EVT-050",
    fields="order.absence",
    reason="the broker knows one order where the client sees two, its own and the one that it was told of",
)
class KeepsOwnCopy(ReferenceClient):
    """Makes an order of its own for each one that it places, under a number of its own, and leaves it there."""

    copies = 0

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def noted(outcome: Outcome, now: float) -> None:
            if endpoint == "order/placeorder" and outcome.ok:
                self.copies += 1
                body = {"action": more["body"].get("action"), "accountId": more["body"].get("accountId")}
                orders = self.stores[more["shard"]].entities.setdefault("order", {})
                orders[-self.copies] = {"id": -self.copies, "ordStatus": "PendingNew", **body}
            done(outcome, now)

        super().submit(endpoint, noted, **more)


class _FirstChangeOnly(Session):
    """Of several changes of one entity in a frame, the first."""

    def receive(self, text: str, now: float) -> None:
        self._had: set[tuple[str, int]] = set()
        super().receive(text, now)

    def on_event(self, kind: str, data: Any, now: float) -> None:
        entity = data.get("entity") if isinstance(data, dict) else None
        if kind == "props" and isinstance(entity, dict):
            key = (str(data.get("entityType")), whole(entity.get("id")))
            if key in self._had:
                return
            self._had.add(key)
        super().on_event(kind, data, now)


@mutant(
    "loses-a-cancel-in-a-batch",
    "EVT-070",
    fields="order.ordStatus",
    reason="an order is placed and cancelled within one frame, and all its messages count, in order",
)
class LosesCancelInBatch(ReferenceClient):
    """Takes, of several changes of one entity in a frame, the first only."""

    session_class = _FirstChangeOnly


class _AnswersFirst(Session):
    def receive(self, text: str, now: float) -> None:
        items = list(wire.read(text))
        self._beside = any(isinstance(item, wire.Reply) for item in items)
        super().receive(text, now)

    def on_event(self, kind: str, data: Any, now: float) -> None:
        if not self._beside:
            super().on_event(kind, data, now)


@mutant(
    "drops-events-beside-an-answer",
    "EVT-070",
    fields="order.presence fill.presence",
    reason="answers and events may share a frame",
)
class DropsEventsBesideAnswer(ReferenceClient):
    """Reads a frame in which it finds an answer for that answer only."""

    session_class = _AnswersFirst


class _NothingEarly(Session):
    def on_event(self, kind: str, data: Any, now: float) -> None:
        if self.live_since is not None:
            super().on_event(kind, data, now)


@mutant(
    "drops-events-before-its-snapshot",
    "EVT-080",
    fields="order.presence fill.presence position.netPos cashBalance.amount",
    reason="the snapshot is older than the events that came before it",
)
class DropsEarlyEvents(ReferenceClient):
    """Throws away what comes between its sync request and the answer."""

    session_class = _NothingEarly


class _NoArrays(Store):
    def _event(self, data: Any) -> int:
        return 0 if isinstance(data, dict) and isinstance(data.get("entity"), list) else super()._event(data)


@mutant(
    "takes-an-array-for-an-object",
    "EVT-120",
    fields="order.presence fill.presence",
    reason="`entity` may be an array, and what is in it counts",
)
class TakesArrayForObject(ReferenceClient):
    """Looks for fields in `entity` itself, and finds none where that is an array."""

    store_class = _NoArrays


class _FirstOfArray(Store):
    def _event(self, data: Any) -> int:
        if isinstance(data, dict) and isinstance(data.get("entity"), list):
            data = {**data, "entity": data["entity"][:1]}
        return super()._event(data)


@mutant(
    "reads-the-first-of-an-array",
    "EVT-120",
    fields="order.presence fill.presence",
    reason="an array may hold more than one entity",
)
class ReadsFirstOfArray(ReferenceClient):
    """Takes, of an `entity` that is an array, the first."""

    store_class = _FirstOfArray


class _NoDeletions(Store):
    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        return 0 if deleted else super()._one(kind, deleted, entity)


@mutant(
    "ignores-deletions",
    "EVT-120",
    also="EVT-060",
    fields="order.absence position.absence cashBalance.absence account.absence",
    reason="what was deleted is not there any more",
)
class IgnoresDeletions(ReferenceClient):
    """Does nothing when something is `Deleted`."""

    store_class = _NoDeletions


class _Reviving(Store):
    def is_stale(self, kind: str, before: Entity | None, entity: Entity) -> bool:
        return False


@mutant(
    "revives-finished-orders",
    "EVT-130",
    fields="order.ordStatus",
    reason="an update that came late says what was, and a finished order never works again",
)
class RevivesFinishedOrders(ReferenceClient):
    """Takes every update of an order for the latest one."""

    store_class = _Reviving


class _FirstSnapshotOnly(Store):
    _had = False

    def replace(self, snapshot: Entity) -> None:
        if not self._had:
            super().replace(snapshot)
        self._had = True


@mutant(
    "recovers-nothing-that-it-missed",
    "REC-040 REC-115",
    also="REC-090",
    fields="order.presence order.absence order.ordStatus fill.presence position.netPos cashBalance.amount",
    reason="nothing is sent again that came while the client was away; only the new snapshot tells of it",
)
class RecoversNothing(ReferenceClient):
    """Takes its first snapshot, and throws those of later sockets away."""

    store_class = _FirstSnapshotOnly


class _AddingSnapshots(Store):
    def replace(self, snapshot: Entity) -> None:
        held = self.entities
        super().replace(snapshot)
        for kind, entities in held.items():
            self.entities[kind] = entities | self.entities.get(kind, {})


@mutant(
    "never-forgets-over-a-loss",
    "REC-040 REC-115",
    fields="order.absence",
    reason="what was deleted while the client was away is in no snapshot, and no event tells of it",
)
class NeverForgets(ReferenceClient):
    """Adds a new snapshot to what it had, instead of replacing that."""

    store_class = _AddingSnapshots


class _OldCash(Store):
    _had = False

    def replace(self, snapshot: Entity) -> None:
        cash = self.entities.get("cashBalance", {})
        super().replace(snapshot)
        if self._had:
            self.entities["cashBalance"] = cash
        self._had = True


@mutant(
    "keeps-old-cash-over-a-loss",
    "REC-040 REC-115",
    fields="cashBalance.amount",
    reason="fills that the client did not see have moved the balance",
)
class KeepsOldCash(ReferenceClient):
    """Takes orders, fills and positions from a new snapshot, and keeps the balances that it had."""

    store_class = _OldCash


@mutant(
    "asks-for-less-after-a-loss",
    "EVT-040 REC-040 REC-115",
    also="REC-090",
    fields="fill.presence",
    reason="what it relies on is missing on its later sockets, so that it never hears of the fills",
)
class AsksForLess(ReferenceClient):
    """Asks for orders and accounts only on every socket but its first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._synced: set[int] = set()

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        if shard in self._synced:
            body["entityTypes"] = ["order", "account"]
        self._synced.add(shard)
        return body


@mutant(
    "relies-on-fills-unasked",
    "EVT-040",
    reason="fills are declared as relied on, and not in `entityTypes`",
)
class ReliesUnasked(ReferenceClient):
    """Leaves fills out of its sync request."""

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        return body | {"entityTypes": [name for name in body["entityTypes"] if name != "fill"]}


@mutant("a-listener-for-every-socket", "REC-080", reason="with every reconnect each event is processed once more")
class ListenerForEverySocket(ReferenceClient):
    """Adds a listener with each socket that syncs, and takes none away."""

    listeners = 0

    def sync_body(self, shard: int) -> dict[str, Any]:
        self.listeners += 1
        return super().sync_body(shard)

    def on_event(self, kind: str, data: Any) -> None:
        for _ in range(max(1, self.listeners // self.config.shards)):
            super().on_event(kind, data)
