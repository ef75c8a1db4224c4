"""What the client believes against what is true: its snapshot and the broker's ledger, entity by entity.

The law: only what the client asked to be told is compared (its sync requests say), numbers exactly, and whatever form
a correct client may give its state in is taken: numbers as texts, ids as keys, further fields, finished orders and flat
positions left out. A difference counts once the client had the time that the limits give it; then it names entity,
field, both values, and the frame that carried the entity last. Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from brokercert.judge.check import Bench, seconds
from brokercert.judge.conversation import Conversation, messages_of
from brokercert.judge.told import Snapshot
from brokercert.verdict import Finding

# Entity type -> compared fields. `orderQty` and `price` of an order are those of its current version.
COMPARED: dict[str, tuple[str, ...]] = {
    "order": ("accountId", "contractId", "action", "ordStatus", "orderQty", "price"),
    "fill": ("orderId", "qty", "price"),
    "position": ("accountId", "contractId", "netPos", "netPrice"),
    "cashBalance": ("accountId", "amount"),
    "account": (),
}
PRESENCE = "presence"  # in the ledger, and so with the client
ABSENCE = "absence"  # not in the ledger (any more), and so not with the client
VERSION_FIELDS = ("orderQty", "price")
TERMINAL = frozenset({"canceled", "completed", "expired", "filled", "rejected"})
TOLERANCE = 1_000  # microseconds: a timer's resolution

_TYPES = (*COMPARED, "orderVersion", "command", "commandReport")
_FORMS = {form.lower(): kind for kind in _TYPES for form in (kind, f"{kind}s")}

Entities = dict[str, dict[str, Any]]  # by id, as a text


def compared_fields() -> tuple[str, ...]:
    """All that is compared, as the `clause` of a finding names it: each must have a mutant that fails by it."""
    return tuple(f"{kind}.{name}" for kind, names in COMPARED.items() for name in (*names, PRESENCE, ABSENCE))


@dataclass(slots=True, frozen=True)
class Difference:
    """One. `field` is one of `COMPARED`, or PRESENCE or ABSENCE."""

    kind: str
    id: str
    field: str
    expected: str
    actual: str

    @property
    def clause(self) -> str:
        return f"{self.kind}.{self.field}"


def compare_at(bench: Bench, name: str, clauses: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """The findings of one point of comparison: pass; a breach for each field that differs; or not observed.

    `clauses` are the fields that are asked about, as in `compared_fields`; none: all. Yields nothing where the scenario
    did not come to that point.
    """
    talk = bench.talk
    ledger = talk.told.ledgers.get(name)
    if ledger is None:
        return
    told_at, number, _ = ledger
    shots = _shots(talk, name)
    if not shots:
        yield bench.short(f"{name}: {_why_no_snapshot(talk, number)}{bench.exit_text()}", [number])
        return
    if not _scope(talk).kinds:
        yield bench.short(f"{name}: the client subscribed to no entity type that is compared", [number])
        return
    due = due_at(talk, name, bench.micros("snapshot_settle"))
    first = next((shot for shot in shots if not differences_at(talk, name, shot, clauses)), None)
    last = shots[-1]
    if first is None:
        if last.asked < due - TOLERANCE:
            yield bench.short(
                f"{name}: the client's state was not the ledger's yet when it was asked for last, "
                f"{seconds(last.asked - told_at)} after the last event{bench.exit_text()}",
                [number, last.record],
            )
        else:
            yield from _breaches(bench, name, last, "", clauses)
        return
    if last.asked - first.t < bench.micros("snapshot_stable") - TOLERANCE:
        yield bench.short(
            f"{name}: the client's state was the ledger's, and was not asked for again{bench.exit_text()}",
            [number, first.record],
        )
    elif differences_at(talk, name, last, clauses):
        yield from _breaches(bench, name, last, f"; it had been equal {seconds(last.asked - first.t)} before", clauses)
    else:
        unseen = [kind for kind in unseen_at(talk, name) if _is_asked(kind, clauses)]
        for kind in unseen:
            yield bench.short(f"{name}: the client's snapshots have no `{kind}`", [number, last.record], clause=kind)
        seen = ", ".join(kind for kind in _scope(talk).kinds if kind not in unseen and _is_asked(kind, clauses))
        if not seen:
            return
        lacking = "" if _scope(talk).has_versions else " (not its quantity and price: no order versions are subscribed)"
        yield bench.ok(
            f"{name}: the client's state ({seen}{lacking}) was the ledger's {seconds(first.t - told_at)} after it, "
            f"and {seconds(last.asked - first.t)} later still",
            [number, first.record, last.record],
        )


def differences_at(
    talk: Conversation, name: str, shot: Snapshot, clauses: frozenset[str] = frozenset()
) -> list[Difference]:
    """The differences of a snapshot from the ledger of that name in these fields (none: all), in the ledger's order."""
    found = differences(talk.told.ledgers[name][2], shot.entities, _scope(talk), unseen_at(talk, name))
    return [difference for difference in found if not clauses or difference.clause in clauses]


def differences(
    ledger: Mapping[str, Any], entities: Mapping[str, Any], scope: Scope, unseen: Collection[str] = ()
) -> list[Difference]:
    """The differences of what a client says that it holds (`entities`) from a ledger, in the ledger's order. Types in
    `unseen` are left out.
    """
    orders = _by_id(ledger.get("order"))[0]
    found: list[Difference] = []
    for kind in scope.kinds:
        if kind not in unseen:
            names = [f for f in COMPARED[kind] if scope.has_versions or kind != "order" or f not in VERSION_FIELDS]
            truth = _by_id(ledger.get(kind))[0]
            held, twice = _by_id(_collection(entities, kind))
            chosen = scope.accounts
            due = {i: x for i, x in truth.items() if chosen is None or _account(kind, i, x, orders) in chosen}
            found += _of_kind(kind, names, truth, due, held, twice)
    return found


def due_at(talk: Conversation, name: str, settle: int) -> int:
    """From when on the client's state must be that ledger: so long after the ledger was told, which is after the last
    event, or after the last answer to a sync request where the client came back later than that.
    """
    told_at, number, _ = talk.told.ledgers[name]
    following = _next_ledger(talk, number)
    syncs = [
        sync.answer.t
        for c in talk.synced
        for sync in c.syncs
        if sync.answer is not None and (following is None or sync.answer.record < following)
    ]
    return max([told_at, *syncs]) + settle


# What is compared.


@dataclass(slots=True, frozen=True)
class Scope:
    """What a client asked to be told: entity types, and accounts (None: all)."""

    wanted: frozenset[str]
    accounts: frozenset[str] | None

    @property
    def kinds(self) -> list[str]:
        """The compared types among them."""
        return [kind for kind in COMPARED if kind in self.wanted]

    @property
    def has_versions(self) -> bool:
        """Quantity and price hang on a version, and which one is current on its command."""
        return "orderVersion" in self.wanted and bool(self.wanted & {"command", "commandReport"})


def scope_of(bodies: Sequence[Any]) -> Scope:
    """By the bodies of sync requests; all types, where one names users or accounts and no types."""
    return Scope(frozenset(_subscribed(bodies)), _accounts(bodies))


def _scope(talk: Conversation) -> Scope:
    return scope_of([c.syncs[0].body for c in talk.synced])


def _subscribed(bodies: Sequence[Any]) -> set[str]:
    wanted: set[str] = set()
    for body in bodies:
        types = body.get("entityTypes") if isinstance(body, dict) else None
        if types is None and isinstance(body, dict) and any(body.get(key) for key in ("users", "accounts")):
            return set(_TYPES)  # the older form, which gets everything (TP §5.1)
        if isinstance(types, list):
            wanted |= {_FORMS[x.lower()] for x in types if isinstance(x, str) and x.lower() in _FORMS}
    return wanted


def _accounts(bodies: Sequence[Any]) -> frozenset[str] | None:
    chosen: set[str] = set()
    for body in bodies:
        listed = body.get("accounts") if isinstance(body, dict) else None
        if not isinstance(listed, list) or not listed:
            return None
        chosen |= {_ident(x) for x in listed}
    return frozenset(chosen)


def _account(kind: str, ident: str, entity: Mapping[str, Any], orders: Entities) -> str:
    if kind == "account":
        return ident
    if kind == "fill":
        entity = orders.get(_ident(entity.get("orderId")), {})
    return _ident(entity.get("accountId"))


def unseen_at(talk: Conversation, name: str) -> list[str]:
    """Types of which the ledger holds something and no snapshot of the client's ever had the name."""
    state = talk.told.ledgers[name][2]
    shown = set[str]().union(*(types_in(shot.entities) for shot in talk.told.snapshots))
    return [kind for kind in _scope(talk).kinds if kind not in shown and state.get(kind)]


def types_in(entities: Mapping[str, Any]) -> set[str]:
    """The types, in the singular, of which a client's snapshot has the name."""
    return {_FORMS[key.lower()] for key in entities if key.lower() in _FORMS}


def _is_asked(kind: str, clauses: frozenset[str]) -> bool:
    return not clauses or any(clause.partition(".")[0] == kind for clause in clauses)


def _collection(entities: Mapping[str, Any], kind: str) -> Any:
    return next((value for key, value in entities.items() if _FORMS.get(key.lower()) == kind), None)


def _by_id(collection: Any) -> tuple[Entities, set[str]]:
    """Entities by id, from a list of them or an object with ids as keys; and the ids that stand there twice."""
    found: Entities = {}
    twice: set[str] = set()
    if isinstance(collection, dict):
        pairs = [(x.get("id", key), x) for key, x in collection.items() if isinstance(x, dict)]
    else:
        listed = collection if isinstance(collection, list) else []
        pairs = [(x.get("id"), x) for x in listed if isinstance(x, dict)]
    for given, entity in pairs:
        ident = _ident(given)
        if ident in found:
            twice.add(ident)
        found[ident] = entity
    return found, twice


def _of_kind(
    kind: str, names: list[str], truth: Entities, due: Entities, held: Entities, twice: set[str]
) -> Iterator[Difference]:
    for ident, entity in due.items():
        mine = held.get(ident)
        finished = kind == "order" and str(entity.get("ordStatus")).lower() in TERMINAL
        flat = kind == "position" and _number(entity.get("netPos")) == 0
        if mine is None:
            if not finished and not flat:
                yield Difference(kind, ident, PRESENCE, "there", "absent")
            continue
        for name in names:
            expected, actual = entity.get(name), mine.get(name)
            if finished and actual is None and name != "ordStatus":
                continue  # it may be absent altogether, and so may what is known of it
            if flat and name == "netPrice":
                continue  # no contract is held at any price
            if not same(expected, actual):
                yield Difference(kind, ident, name, _show(expected), _show(actual))
    for ident in held:
        if ident not in truth:
            yield Difference(kind, ident, ABSENCE, "absent", "there")
        elif ident in twice and kind == "fill":  # one fill twice is a position that is wrong
            yield Difference(kind, ident, ABSENCE, "there once", "there twice")


# Values.


def same(expected: Any, actual: Any) -> bool:
    """Whether both are one value: numbers exactly, as JSON numbers or as texts; words in any letter case; and of what
    the broker has not, nothing, an empty text or 0.
    """
    if expected is None:
        return actual is None or actual == "" or _number(actual) == 0
    wanted = _number(expected)
    if wanted is not None:
        return _number(actual) == wanted
    return isinstance(actual, str) and actual.casefold() == str(expected).casefold()


def _number(value: Any) -> Decimal | None:
    """A number exactly as its JSON text says it: the shortest text of a float is that which it was read from."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _ident(value: Any) -> str:
    number = _number(value)
    if number is not None and number == number.to_integral_value():
        return str(int(number)) if abs(number) < 10**30 else str(number)
    return str(value)


def _show(value: Any) -> str:
    return "absent" if value is None else str(value)


# What is said.


def _shots(talk: Conversation, name: str) -> list[Snapshot]:
    """The snapshots asked for after that ledger was told, and before the next."""
    number = talk.told.ledgers[name][1]
    following = _next_ledger(talk, number)
    return [
        shot
        for shot in talk.told.snapshots
        if shot.asked_record > number and (following is None or shot.asked_record < following)
    ]


def _next_ledger(talk: Conversation, number: int) -> int | None:
    return min((other for _, other, _ in talk.told.ledgers.values() if other > number), default=None)


def _why_no_snapshot(talk: Conversation, number: int) -> str:
    asked = [x for x in talk.told.commands.values() if x.command == "snapshot" and x.record > number]
    if not asked:
        return "the client was not asked for its state"
    if not asked[-1].told:
        return "the client takes no commands: its standard input is closed, or its class has no `command`"
    if asked[-1].unsupported is None:
        return "the client was asked for its state, and sent no snapshot"
    if talk.told.honest:
        return "the client says that it does not support snapshots"
    return (
        "the client says that it does not support snapshots; it is not believed, since it did not say so of a command "
        "that nobody can do (`whistle`)"
    )


def _breaches(bench: Bench, name: str, shot: Snapshot, more: str, clauses: frozenset[str]) -> Iterator[Finding]:
    """One for each field: the first entity in which it differs, and how many others there are."""
    talk = bench.talk
    told_at, number, _ = talk.told.ledgers[name]
    by_clause: dict[str, list[Difference]] = {}
    for difference in differences_at(talk, name, shot, clauses):
        by_clause.setdefault(difference.clause, []).append(difference)
    for clause, all_of_it in by_clause.items():
        one = all_of_it[0]
        what = "" if one.field in (PRESENCE, ABSENCE) else f" has {one.field}"
        others = f" (and {len(all_of_it) - 1} more)" if len(all_of_it) > 1 else ""
        frame = carrier(talk, one, shot.record)
        carried = f"; frame #{frame} carried it last" if frame else "; no frame carried it"
        yield bench.breach(
            f"{name}: {one.kind} {one.id}{what or ' is'} {one.actual} with the client{others}, "
            f"{seconds(shot.asked - told_at)} after the ledger was taken{carried}{more}",
            f"{one.kind} {one.id}{what or ' is'} {one.expected}, as in the ledger",
            [number, *([frame] if frame else []), shot.record],
            clause=clause,
        )


def carrier(talk: Conversation, difference: Difference, before: int) -> int | None:
    """The last frame before a record that carried the entity (or, for a version's field, its version or command)."""
    kinds = {difference.kind}
    if difference.field in VERSION_FIELDS and difference.kind == "order":
        kinds |= {"orderVersion", "command"}
    frames = sorted((number, text) for c in talk.connections.values() for _, number, text in c.data_sent)
    for number, text in reversed(frames):
        if number < before and difference.id in text and _carries(text, kinds, difference.id):
            return number
    return None


def _carries(text: str, kinds: set[str], ident: str) -> bool:
    for message in messages_of(text) or () if text.startswith("a") else ():
        data = message.get("d") if isinstance(message, dict) else None
        for event in data if isinstance(data, list) else [data]:
            if not isinstance(event, dict):
                continue
            if "entityType" in event:
                entity = event.get("entity")
                groups = {
                    _FORMS.get(str(event["entityType"]).lower()): entity if isinstance(entity, list) else [entity]
                }
            else:
                groups = {_FORMS.get(key.lower()): value for key, value in event.items() if isinstance(value, list)}
            for kind, entities in groups.items():
                key = "orderId" if kind in ("orderVersion", "command") else "id"
                if kind in kinds and any(isinstance(x, dict) and _ident(x.get(key)) == ident for x in entities):
                    return True
    return False
