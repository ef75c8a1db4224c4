"""The state of one user: entities of every type, by number, and what of them belongs together (TP §8).

Entities satisfy the vendor's schema, required fields and all. One counter numbers all of them, and an order's id is
its New command's and its first version's, as observed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Entity = dict[str, Any]

TRADE_DATE = {"year": 2026, "month": 1, "day": 5}

COLLECTIONS = (
    "users userProperties properties accounts accountRiskStatuses marginSnapshots userAccountAutoLiqs cashBalances"
    " currencies positions fillPairs orders contracts contractMaturities products exchanges spreadDefinitions commands"
    " commandReports executionReports orderVersions fills fillFees orderStrategies orderStrategyLinks userPlugins"
    " annualReviews userReadStatuses userPromoCodes contractGroups orderStrategyTypes"
).split()


def singular(name: str) -> str:
    """`orders` -> `order`, `userProperties` -> `userProperty`, `accountRiskStatuses` -> `accountRiskStatus`."""
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-2] if name.endswith("ses") else name[:-1]


TYPES = {singular(name): name for name in COLLECTIONS}
LOWER = {form.lower(): kind for kind, plural in TYPES.items() for form in (kind, plural)}
READ_ONLY = ("userSession",)  # an entity (TP §8) that no sync answer has (TP §5.2): it can be read, and has no events

# Whose entities hang on which master (TP §8): for `deps` and `ldeps`.
MASTERS = {
    "account": "userId",
    "accountRiskStatus": "id",
    "marginSnapshot": "id",
    "userAccountAutoLiq": "id",
    "cashBalance": "accountId",
    "order": "accountId",
    "position": "accountId",
    "command": "orderId",
    "orderVersion": "orderId",
    "fill": "orderId",
    "fillFee": "id",
    "commandReport": "commandId",
    "executionReport": "commandId",
    "fillPair": "positionId",
    "contract": "contractMaturityId",
    "contractMaturity": "productId",
    "product": "exchangeId",
    "userProperty": "userId",
    "userPlugin": "userId",
    "userReadStatus": "userId",
    "orderStrategy": "accountId",
    "orderStrategyLink": "orderStrategyId",
    "userSession": "userId",  # [ours]
}


EXACT = 1 << 53  # beyond it not every integer is exact in a double


class Change(NamedTuple):
    """An entity as it became (or, `Deleted`, as it last was), and the account that it belonged to then."""

    kind: str
    event_type: Literal["Created", "Updated", "Deleted"]
    entity: Entity
    account: int | None


@dataclass(slots=True)
class State:
    """All entities, by type (singular) and id. An entity is never changed in place: a new one takes its id, so that
    what was handed out (a snapshot, an event kept back) stays as it was.
    """

    user_id: int = 0
    session_id: int = 0  # the user's own by hand
    accounts: list[int] = field(default_factory=list)
    entities: dict[str, dict[int, Entity]] = field(default_factory=lambda: {kind: {} for kind in (*TYPES, *READ_ONLY)})
    archive: dict[str, dict[int, Entity]] = field(default_factory=lambda: {"order": {}, "contract": {}})  # by id alone
    _by_order: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    grown: set[tuple[Any, int]] = field(default_factory=set)  # what was given a history, and of how many bytes
    _reported: dict[int, str] = field(default_factory=dict)
    _next: int = 1

    def number_from(self, first: int) -> None:
        """The next entity gets this number, and so on."""
        self._next = first

    def number_over(self, before: int = 0) -> None:
        """The next `before` entities get the largest numbers of so many digits, 9...9 the last. Those after them have a
        digit more: as texts they are the smaller ones. Numbers have gaps, since other users take some [inferred].
        Nothing changes where a number would not be exact in a double any more.
        """
        longer = 10 ** len(str(self._next + before))
        if longer < EXACT:
            self._next = longer - before

    def new_id(self) -> int:
        ident, self._next = self._next, self._next + 1
        return ident

    def start_session(self, now: str, client_app_id: int, **more: Any) -> int:
        """A session of the user, with what is known of it: `appId`, `appVersion`, `ipAddress`. Its id."""
        ident = self.new_id()
        session = {"id": ident, "userId": self.user_id, "startTime": now, "clientAppId": client_app_id}
        return int(self.put("userSession", session | more)["id"])

    def put(self, kind: str, entity: Entity) -> Entity:
        held = self.entities[kind]
        if kind in ("command", "orderVersion", "fill") and entity["id"] not in held:
            self._by_order.setdefault((kind, entity["orderId"]), []).append(entity["id"])
        elif kind == "commandReport":
            self._reported[entity["commandId"]] = entity["commandStatus"]
        held[entity["id"]] = entity
        return entity

    def change(self, kind: str, entity: Entity) -> Change:
        """Put an entity, and say how that is told: `Created`, or `Updated` where its id is known."""
        known = entity["id"] in self.entities[kind]
        self.put(kind, entity)
        return Change(kind, "Updated" if known else "Created", entity, self.account_of(kind, entity))

    def remove(self, kind: str, ident: int) -> Change:
        """Take an entity away. KeyError where there is none."""
        entity = self.entities[kind][ident]
        account = self.account_of(kind, entity)
        del self.entities[kind][ident]
        return Change(kind, "Deleted", entity, account)

    def of_order(self, kind: Literal["command", "orderVersion", "fill"], order_id: int) -> list[Entity]:
        """The commands, versions or fills of an order, oldest first."""
        held = self.entities[kind]
        return [held[ident] for ident in self._by_order.get((kind, order_id), ()) if ident in held]

    def reported(self, command_id: int) -> str | None:
        """The status that a command's last report told."""
        return self._reported.get(command_id)

    def of(self, kind: str) -> list[Entity]:
        return list(self.entities[kind].values())

    def account_of(self, kind: str, entity: Entity) -> int | None:
        """The account that an entity belongs to, through its order where it names none itself."""
        if kind == "account":
            return int(entity["id"])
        if kind in ("accountRiskStatus", "marginSnapshot", "userAccountAutoLiq"):
            return int(entity["id"])
        if "accountId" in entity:
            return int(entity["accountId"])
        order_id = entity.get("orderId")
        if order_id is None and "commandId" in entity:
            order_id = self.entities["command"].get(entity["commandId"], {}).get("orderId")
        if order_id is None and kind == "fillFee":
            order_id = self.entities["fill"].get(entity["id"], {}).get("orderId")
        if "positionId" in entity:
            position = self.entities["position"].get(entity["positionId"])
            return int(position["accountId"]) if position else None
        order = self.entities["order"].get(order_id) if order_id is not None else None
        return int(order["accountId"]) if order else None
