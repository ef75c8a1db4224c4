"""Defects of coming back: what the client believes after a loss is not what is true."""

from __future__ import annotations

from typing import Any, ClassVar

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.store import Store

Entity = dict[str, Any]


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


class _Keeping(Store):
    """Adds what a new snapshot has of one type to what it had."""

    kind: ClassVar[str]

    def replace(self, snapshot: Entity) -> None:
        held = self.entities.get(self.kind, {})
        super().replace(snapshot)
        self.entities[self.kind] = held | self.entities.get(self.kind, {})


class _KeepingPositions(_Keeping):
    kind = "position"


@mutant(
    "keeps-closed-positions-over-a-loss",
    "REC-040",
    fields="position.absence",
    reason="a position that was closed and deleted while the client was away is in no snapshot",
)
class KeepsClosedPositions(ReferenceClient):
    """Adds the positions of a new snapshot to those that it had, instead of replacing them."""

    store_class = _KeepingPositions


class _KeepingAccounts(_Keeping):
    kind = "account"


@mutant(
    "keeps-closed-accounts-over-a-loss",
    "REC-040",
    fields="account.absence",
    reason="an account that was closed while the client was away is in no snapshot",
)
class KeepsClosedAccounts(ReferenceClient):
    """Adds the accounts of a new snapshot to those that it had, instead of replacing them."""

    store_class = _KeepingAccounts


class _KeepingFills(_Keeping):
    kind = "fill"


@mutant(
    "keeps-deleted-fills-over-a-loss",
    "REC-040",
    fields="fill.absence",
    reason="a fill that was deleted while the client was away is in no snapshot",
)
class KeepsDeletedFills(ReferenceClient):
    """Adds the fills of a new snapshot to those that it had, instead of replacing them."""

    store_class = _KeepingFills


class _KeepingWhereNoneCame(Store):
    def replace(self, snapshot: Entity) -> None:
        held = self.entities
        super().replace(snapshot)
        self.entities = held | {kind: entities for kind, entities in self.entities.items() if entities}


@mutant(
    "takes-an-empty-list-for-no-news",
    "REC-040",
    fields="order.absence fill.absence position.absence",
    reason="where a new snapshot has no orders, fills or positions, there are none any more",
)
class TakesEmptyForNoNews(ReferenceClient):
    """Replaces what it had of a type where a new snapshot has something of that type."""

    store_class = _KeepingWhereNoneCame


class _KeepingWhereNoListCame(Store):
    def replace(self, snapshot: Entity) -> None:
        held = self.entities
        super().replace(snapshot)
        self.entities = held | self.entities


@mutant(
    "takes-a-missing-list-for-no-news",
    "REC-040",
    fields="order.absence fill.absence position.absence",
    reason="of a type that has no list in a new snapshot there is nothing any more",
)
class TakesMissingForNoNews(ReferenceClient):
    """Replaces what it had of a type where a new snapshot has a list of that type, be it empty."""

    store_class = _KeepingWhereNoListCame


RELIED_ON = ("orders", "fills", "positions")


class _WholeSnapshotsOnly(Store):
    def replace(self, snapshot: Entity) -> None:
        if all(name in snapshot for name in RELIED_ON):
            super().replace(snapshot)


@mutant(
    "drops-a-snapshot-that-lacks-a-list",
    "REC-040",
    fields="order.absence fill.absence position.absence",
    reason="only two of a snapshot's lists are required, and one that lacks another is a snapshot all the same",
)
class DropsSnapshotWithoutAList(ReferenceClient):
    """Looks for each list that it needs in a snapshot, and logs and forgets the error where one is not there."""

    store_class = _WholeSnapshotsOnly


class _EarlyForEver(Store):
    """With what came before the snapshot of each of its sockets."""

    def __init__(self) -> None:
        super().__init__()
        self.early: list[Any] = []


class _RemembersEarly(Session):
    def on_sync(self, outcome: Outcome, now: float) -> None:
        assert isinstance(self.store, _EarlyForEver)
        if outcome.ok:
            self.store.early += self._early
            self._early = list(self.store.early)
        super().on_sync(outcome, now)


@mutant(
    "applies-the-early-events-of-an-earlier-socket",
    "REC-040",
    fields="order.absence position.absence cashBalance.amount",
    reason="what came before an earlier socket's snapshot is older than the snapshot of a later one",
)
class AppliesEarlierEarlyEvents(ReferenceClient):
    """Keeps what came before the snapshot for ever, and applies it after each later snapshot as well."""

    store_class = _EarlyForEver
    session_class = _RemembersEarly


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
