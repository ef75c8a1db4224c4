"""Defects of comparing ids as texts: right until a number has a digit more than the one before it (TP §8)."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.events.fields import COMPARING, FLOWS, Telling
from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.state import current_versions
from brokercert.reference.tradovate.store import Store

Entity = dict[str, Any]


class _Renumbered(Telling):
    """Tells each order's version by its commands and their reports, in the order of their ids as texts."""

    as_texts: frozenset[str]  # the kinds whose ids are compared so

    def retell(self, told: dict[str, list[Entity]]) -> None:
        ranks = {kind: self._ranked(kind) for kind in ("command", "commandReport")}
        commands = {rank: one | {"id": ident} for ident, (rank, one) in ranks["command"].items()}
        place = {ident: rank for ident, (rank, _) in ranks["command"].items()}
        reports = {
            rank: one | {"commandId": place.get(one.get("commandId", 0), 0)}
            for rank, one in ranks["commandReport"].values()
        }
        versions = current_versions(commands, reports)
        held = self.held("orderVersion")
        for order in told["order"]:
            chosen = commands[versions[order["id"]]]["id"] if order["id"] in versions else order["id"]
            version = held.get(chosen, {})
            order |= {name: version[name] for name in ("orderQty", "price") if name in version}

    def _ranked(self, kind: str) -> dict[int, tuple[int, Entity]]:
        """Each entity by its id, with its place."""
        held = self.held(kind)
        order = sorted(held, key=str if kind in self.as_texts else int)
        return {ident: (place, held[ident]) for place, ident in enumerate(order, 1)}


@mutant(
    "compares-command-ids-as-texts",
    "EVT-050",
    also=f"{FLOWS} REC-115",
    fields="order.orderQty order.price",
    reason="the later command's id has a digit more, and the version that it made is the current one",
)
class CommandsAsTexts(_Renumbered):
    """Takes the command whose id is the largest text for an order's last one."""

    as_texts = frozenset({"command"})


@mutant(
    "compares-report-ids-as-texts",
    "EVT-050",
    also=f"{FLOWS} REC-115",
    fields="order.orderQty order.price",
    reason="the later report's id has a digit more, and it says that the modification came into force",
)
class ReportsAsTexts(_Renumbered):
    """Takes the report whose id is the largest text for the last of its command."""

    as_texts = frozenset({"commandReport"})


class _NewAsTexts(Store):
    def _one(self, kind: str, deleted: bool, entity: Entity) -> int:
        held = self.entities.get(kind, {})
        is_new = not deleted and entity["id"] not in held
        if is_new and str(entity["id"]) < max(map(str, held), default=""):
            return 0
        return super()._one(kind, deleted, entity)


@mutant(
    "takes-a-longer-id-for-an-older-one",
    "EVT-050",
    also=COMPARING,
    fields="order.presence fill.presence",
    reason="an id of more digits is the larger one, and what has it is new",
)
class LongerIsOlder(ReferenceClient):
    """Drops what is new and has an id that is, as a text, smaller than the largest of its kind."""

    store_class = _NewAsTexts
