"""Defects of taking events and snapshots: what the client then believes is not what is true."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from brokercert.mutants.register import whole
from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.store import Store

Entity = dict[str, Any]


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
    also={"EVT-070": "the orders that it places come in the frames of that row too"},
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


class _StopsAtErrors(Session):
    def receive(self, text: str, now: float) -> None:
        self._stopped = False
        super().receive(text, now)

    def on_item(self, item: wire.Item, now: float) -> None:
        if not self._stopped:
            super().on_item(item, now)
        self._stopped |= isinstance(item, wire.Reply) and item.status >= 400


@mutant(
    "stops-at-an-error-in-a-frame",
    "EVT-070",
    fields="order.presence fill.presence",
    reason="events behind an answer that is an error count as any others",
)
class StopsAtErrors(ReferenceClient):
    """Reads a frame up to an answer that is an error, which it raises."""

    session_class = _StopsAtErrors


class _StopsAtOwnOrders(Session):
    def receive(self, text: str, now: float) -> None:
        self._stopped = False
        super().receive(text, now)

    def on_item(self, item: wire.Item, now: float) -> None:
        if not self._stopped:
            super().on_item(item, now)
        self._stopped |= isinstance(item, wire.Reply) and isinstance(item.data, dict) and "orderId" in item.data


@mutant(
    "stops-at-its-orders-answer",
    "EVT-070",
    fields="order.presence fill.presence",
    reason="the answer to an order of one's own may share its frame with the events of that order, and of others",
)
class StopsAtOwnOrders(ReferenceClient):
    """Reads a frame up to the answer to an order of its own, which it hands on."""

    session_class = _StopsAtOwnOrders


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


class _NoEarlyDeletions(Session):
    def on_sync(self, outcome: Outcome, now: float) -> None:
        self._early = [data for data in self._early if data.get("eventType") != "Deleted"]
        super().on_sync(outcome, now)


@mutant(
    "keeps-what-was-deleted-before-its-snapshot",
    "EVT-080",
    fields="order.absence",
    reason="the snapshot still has what was deleted since it was taken",
)
class KeepsWhatWasDeletedEarly(ReferenceClient):
    """Applies what came between its sync request and the answer again, but for the deletions."""

    session_class = _NoEarlyDeletions


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


class _CompactOnly(Session):
    """Knows a data frame by how it begins without white space."""

    def receive(self, text: str, now: float) -> None:
        if not text.startswith("a[") or text.startswith(("a[{", "a[]")):
            super().receive(text, now)


@mutant("reads-compact-json-only", "EVT-070", reason="a writer of JSON may put white space between its tokens")
class ReadsCompactJsonOnly(ReferenceClient):
    """Drops a frame that has white space before its first message."""

    session_class = _CompactOnly


def _in_order(message: Any) -> bool:
    return not isinstance(message, dict) or list(message)[:1] != ["d"]


class _InOrderOnly(Session):
    """Knows an answer and an event by their first member."""

    def receive(self, text: str, now: float) -> None:
        with suppress(ValueError, RecursionError):
            messages = json.loads(text[1:]) if text.startswith("a[") else []
            known = [one for one in messages if _in_order(one)]
            text = text if len(known) == len(messages) else "a" + json.dumps(known)
        super().receive(text, now)


@mutant("goes-by-the-order-of-members", "EVT-070", reason="the members of an object of JSON have no order")
class GoesByTheOrderOfMembers(ReferenceClient):
    """Drops a message whose first member is its data."""

    session_class = _InOrderOnly


class _FirstDeletionOfArray(Store):
    def _event(self, data: Any) -> int:
        if isinstance(data, dict) and data.get("eventType") == "Deleted" and isinstance(data.get("entity"), list):
            data = {**data, "entity": data["entity"][:1]}
        return super()._event(data)


@mutant(
    "deletes-the-first-of-an-array",
    "EVT-120",
    fields="order.absence position.absence",
    reason="an array that is `Deleted` may hold more than one entity, and all of them are gone",
)
class DeletesFirstOfArray(ReferenceClient):
    """Removes, of an `entity` that is an array and `Deleted`, the first."""

    store_class = _FirstDeletionOfArray


class _NoDeletions(Store):
    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        return 0 if deleted else super()._one(kind, deleted, entity)


@mutant(
    "ignores-deletions",
    "EVT-120",
    also={
        "EVT-060": "where a deletion is repeated, what was deleted is there still",
        "EVT-080": "a deletion that comes before the sync's answer is ignored as well",
    },
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


class _RevivingSome(Store):
    def is_stale(self, kind: str, before: Entity | None, entity: Entity) -> bool:
        known = before is not None and before.get("ordStatus") in ("Canceled", "Filled")
        return known and super().is_stale(kind, before, entity)


@mutant(
    "knows-two-final-statuses",
    "EVT-130",
    fields="order.ordStatus",
    reason="an order that expired, was rejected or is completed never works again either",
)
class KnowsTwoFinalStatuses(ReferenceClient):
    """Takes a late update of an order for the latest one, unless it was filled or cancelled."""

    store_class = _RevivingSome


class _BelievingCreations(Store):
    def _event(self, data: Any) -> int:
        self._is_creation = isinstance(data, dict) and data.get("eventType") == "Created"
        return super()._event(data)

    def is_stale(self, kind: str, before: Entity | None, entity: Entity) -> bool:
        return not self._is_creation and super().is_stale(kind, before, entity)


@mutant(
    "believes-a-late-creation",
    "EVT-130",
    fields="order.ordStatus",
    reason="an order's creation that comes once more, late, says what was, and a finished order never works again",
)
class BelievesLateCreation(ReferenceClient):
    """Drops late updates of finished orders, and takes every `Created` for a new order."""

    store_class = _BelievingCreations
