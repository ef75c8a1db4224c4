"""Defects of reading only a part of what a field may hold (TP §8): ids, time stamps, numbers, texts, absent fields."""

from __future__ import annotations

import datetime
from typing import Any

from brokercert.mutants.tradovate.events.fields import COMPARING, Telling
from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.state import IN_FORCE, current_versions
from brokercert.reference.tradovate.store import Store

Entity = dict[str, Any]
MILLISECONDS = "%Y-%m-%dT%H:%M:%S.%fZ"
IDS = ("id", "accountId", "contractId", "orderId")


def _narrow(value: Any) -> Any:
    return (value + 2**31) % 2**32 - 2**31 if type(value) is int else value


@mutant(
    "keeps-ids-in-32-bits",
    "EVT-050",
    also=COMPARING,
    fields="order.presence order.absence fill.presence position.presence cashBalance.presence account.presence",
    reason="ids are integers of 64 bits, and the broker's are beyond 32",
)
class IdsOf32Bits(Telling):
    """Keeps ids as integers of 32 bits."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        for entities in told.values():
            for one in entities:
                one |= {name: _narrow(one[name]) for name in IDS if name in one}


class _Choosy(Store):
    """Takes what it can read: `reads` says what that is."""

    def reads(self, kind: str, entity: Entity) -> bool:
        raise NotImplementedError

    def replace(self, snapshot: dict[str, Any]) -> None:
        super().replace(snapshot)
        for kind, held in self.entities.items():
            self.entities[kind] = {ident: entity for ident, entity in held.items() if self.reads(kind, entity)}

    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        return super()._one(kind, deleted, entity) if self.reads(kind, entity) else 0


class _OneTimeFormat(_Choosy):
    def reads(self, kind: str, entity: Entity) -> bool:
        try:
            datetime.datetime.strptime(entity.get("timestamp", "2026-01-05T14:30:00.000Z"), MILLISECONDS)
        except (TypeError, ValueError):
            return False
        return True


@mutant(
    "reads-one-form-of-time",
    "EVT-050 EVT-120",
    also=" ".join(row for row in COMPARING.split() if row != "EVT-120"),
    fields="order.presence fill.presence account.presence",
    reason="a time may have no fraction and no seconds, and what has one is an entity like any other",
)
class ReadsOneFormOfTime(ReferenceClient):
    """Reads times by one fixed format, with a fraction, and drops the entity where that does not fit."""

    store_class = _OneTimeFormat


class _AsciiStore(_Choosy):
    def reads(self, kind: str, entity: Entity) -> bool:
        return all(value.isascii() for value in entity.values() if isinstance(value, str))


@mutant(
    "keeps-ascii-only",
    "EVT-050",
    also=COMPARING,
    fields="account.presence",
    reason="a name may have any character",
)
class KeepsAsciiOnly(ReferenceClient):
    """Writes its state into a store of ASCII, which refuses every other text."""

    store_class = _AsciiStore


class _AllFields(_Choosy):
    def reads(self, kind: str, entity: Entity) -> bool:
        return {"order": "contractId", "position": "netPrice"}.get(kind, "id") in entity


@mutant(
    "insists-on-optional-fields",
    "EVT-050",
    fields="order.presence",
    reason="an order in a spread has no contract, and the schema says so",
)
class InsistsOnOptionalFields(ReferenceClient):
    """Drops an order without a contract and a position without a price."""

    store_class = _AllFields


@mutant(
    "drops-the-sign",
    "EVT-050",
    also=COMPARING,
    fields="position.netPos cashBalance.amount order.price fill.price position.netPrice",
    reason="positions, balances and prices may be below zero",
)
class DropsTheSign(Telling):
    """Keeps numbers without their sign."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        for entities in told.values():
            for one in entities:
                for name in ("netPos", "netPrice", "amount", "price"):
                    if isinstance(one.get(name), int | float):
                        one[name] = abs(one[name])


@mutant(
    "takes-zero-for-nothing",
    "EVT-050",
    fields="order.price",
    reason="a spread may be bought at a price of zero, which is a price",
)
class TakesZeroForNothing(Telling):
    """Leaves out a price that is zero."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        for order in told["order"]:
            if not order.get("price"):
                order.pop("price", None)


class _KnownStatuses(_Choosy):
    known = frozenset({"PendingNew", "Working", "Filled", "Canceled", "Rejected", "PendingReplace", "PendingCancel"})

    def reads(self, kind: str, entity: Entity) -> bool:
        return kind != "order" or entity.get("ordStatus") in self.known


@mutant(
    "knows-some-statuses",
    "EVT-050",
    also={"EVT-130": "it has dropped the order that expired, so that a late message about it is news"},
    fields="order.ordStatus",
    reason="an order may be suspended, expired, completed, or of an unknown status",
)
class KnowsSomeStatuses(ReferenceClient):
    """Drops an order whose status it does not know."""

    store_class = _KnownStatuses


class _Versions(Telling):
    """Takes a modification for one in force at some of the statuses only."""

    in_force: frozenset[str]

    def retell(self, told: dict[str, list[Entity]]) -> None:
        current = current_versions(self.held("command"), self.held("commandReport"), self.in_force)
        versions = self.held("orderVersion")
        for order in told["order"]:
            version = versions.get(current.get(order["id"] or 0, order["id"] or 0), {})
            order |= {name: version[name] for name in ("orderQty", "price") if name in version}


@mutant(
    "takes-a-suspended-change-for-none",
    "EVT-050",
    fields="order.orderQty order.price",
    reason="a modification counts at ExecutionSuspended too",
)
class OverlooksSuspendedChanges(_Versions):
    """Tells an order as it was before a modification that is suspended."""

    in_force = IN_FORCE - {"ExecutionSuspended"}


@mutant(
    "takes-a-change-on-hold-for-none",
    "EVT-050",
    fields="order.orderQty order.price",
    reason="a modification counts at OnHold too",
)
class OverlooksChangesOnHold(_Versions):
    """Tells an order as it was before a modification that is on hold."""

    in_force = IN_FORCE - {"OnHold"}
