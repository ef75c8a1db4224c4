"""`user/syncrequest`: which entities a socket asked for, and the snapshot of them (TP §5, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import LOWER, TYPES, Entity, State

# Snapshot collections that the schema requires whatever was asked for (TP §5.2).
REQUIRED = ("users", "contractGroups")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a socket is sent from its sync on."""

    types: frozenset[str]  # singular
    accounts: frozenset[int] | None  # None: all
    divisor: int = 1
    remainder: int = 0
    by_user: bool = False

    def wants(self, state: State, kind: str, entity: Entity) -> bool:
        """Whether this entity's events go to this socket."""
        if self.accounts is None and (self.divisor, self.remainder) == (1, 0):
            return kind in self.types  # whose it is costs more to find out than all else of a snapshot
        return kind in self.types and self.takes(state, kind, state.account_of(kind, entity))

    def takes(self, state: State, kind: str, account: int | None) -> bool:
        """Whether an event of this type, about this account (None: about none), goes to this socket."""
        if kind not in self.types:
            return False
        if account is None:
            return True  # how entities without an account are spread over shards is unknown (TP §6): to all
        if self.accounts is not None and account not in self.accounts:
            return False
        key = state.user_id if self.by_user else account
        return key % self.divisor == self.remainder


def subscription_of(body: Any, settings: Settings) -> Subscription:
    """The subscription of a sync body, as lenient as the real broker seems to be: nothing here judges."""
    body = body if isinstance(body, dict) else {}
    listed = body.get("entityTypes")
    legacy = any(isinstance(body.get(key), list) and body[key] for key in ("users", "accounts"))
    if isinstance(listed, list) and listed:
        known = {kind: kind for kind in TYPES} if settings.entity_type_names == "exact" else LOWER
        lower = settings.entity_type_names == "lenient"
        names = (x.lower() if lower else x for x in listed if isinstance(x, str))
        types = frozenset(known[x] for x in names if x in known)
    elif legacy or settings.empty_entity_types == "all":
        types = frozenset(TYPES)  # the older form gets everything (observed; TP §5.1)
    else:
        types = frozenset()
    accounts = body.get("accounts")
    chosen = None
    if isinstance(accounts, list) and accounts:
        chosen = frozenset(x for x in accounts if isinstance(x, int))
    shard = body.get("shardingExpression")
    if isinstance(shard, dict):
        divisor, remainder = shard.get("divisor"), shard.get("remainder")
        if isinstance(divisor, int) and isinstance(remainder, int) and divisor > 0:
            by_user = str(shard.get("expressionType")).lower() == "moduserid"
            return Subscription(types, chosen, divisor, remainder, by_user)
    return Subscription(types, chosen)


def listed(whole: dict[str, list[Entity]], settings: Settings) -> dict[str, list[Entity]]:
    """A snapshot with or without the lists that have nothing."""
    if settings.empty_lists == "there":
        return whole
    return {name: entities for name, entities in whole.items() if entities or name in REQUIRED}


def split(whole: dict[str, list[Entity]], parts: int) -> list[dict[str, list[Entity]]]:
    """A snapshot in so many parts [inferred: no document tells a rule; TP §5.3]: each entity in one of them, the
    collections that the schema requires in all, and a collection that has nothing in a part left out of it.
    """
    result: list[dict[str, list[Entity]]] = [{name: [] for name in REQUIRED} for _ in range(parts)]
    for name, entities in whole.items():
        size = -(-len(entities) // parts)
        for number, part in enumerate(result):
            share = entities[number * size : (number + 1) * size]
            if share:
                part[name] = share
    return result


def wrapped(part: dict[str, list[Entity]]) -> list[dict[str, Any]]:
    """A part of a snapshot as the `d` of so many events [claimed; TP §5.3]."""
    kinds = {name: kind for kind, name in TYPES.items()}
    return [
        {"entityType": kinds[name], "eventType": "Created", "entity": entity}
        for name, entities in part.items()
        for entity in entities
    ]


def snapshot(state: State, subscription: Subscription) -> dict[str, list[Entity]]:
    """The sync answer's `d`: one object of arrays."""
    result: dict[str, list[Entity]] = {}
    for kind, name in TYPES.items():
        if kind in subscription.types:
            entities = state.of(kind)
            if subscription.accounts is not None or subscription.divisor > 1:
                entities = [entity for entity in entities if subscription.wants(state, kind, entity)]
            result[name] = entities
    for name in REQUIRED:
        kind = next(k for k, plural in TYPES.items() if plural == name)
        result.setdefault(name, state.of(kind) if kind == "user" else [])
    return result
