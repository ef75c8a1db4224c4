"""The differences of what a client says that it holds from the broker's ledger, entity by entity.

The law: only what the client asked to be told (its sync requests say) is compared, and of that only what it relies on,
where it declares that. Numbers are compared exactly. Every form is taken that a correct client may give its state in:
numbers as texts, ids as keys, further fields, finished orders and flat positions left out. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from brokercert.judge.tradovate.model.conversation import texts_in, value_in

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

_TYPES = (*COMPARED, "orderVersion", "command", "commandReport")
FORMS = {form.lower(): kind for kind in _TYPES for form in (kind, f"{kind}s")}

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

    @property
    def subject(self) -> str:
        """What a sentence about it says before a value."""
        verb = "is" if self.field in (PRESENCE, ABSENCE) else f"has {self.field}"
        return f"{self.kind} {self.id} {verb}"


def differences(
    ledger: Mapping[str, Any], entities: Mapping[str, Any], scope: Scope, unseen: Collection[str] = ()
) -> list[Difference]:
    """The differences of what a client says that it holds (`entities`) from a ledger, in the ledger's order. Types in
    `unseen` are left out.
    """
    orders = dict(_by_id(ledger.get("order")))
    found: list[Difference] = []
    for kind in scope.kinds:
        if kind not in unseen:
            truth = dict(_by_id(ledger.get(kind)))
            held, twice = _held(entities, kind)
            due = _due(kind, truth, scope.accounts, orders)
            found += _lacking_or_other(kind, scope.fields(kind), due, held)
            found += _too_much(kind, truth, held, twice)
    return found


def _due(kind: str, truth: Entities, chosen: frozenset[str] | None, orders: Entities) -> Entities:
    """Of the entities of the ledger those of the accounts that the client asked for."""
    if chosen is None:
        return truth
    return {i: x for i, x in truth.items() if _account(kind, i, x, orders) in chosen}


# What is compared.


@dataclass(slots=True, frozen=True)
class Scope:
    """What a client asked to be told: entity types, and accounts (None: all); and the types that it declares it relies
    on (None: it declares none, and relies on what it asked for).
    """

    wanted: frozenset[str]
    accounts: frozenset[str] | None
    relied: frozenset[str] | None = None

    @property
    def kinds(self) -> list[str]:
        """The compared types among them."""
        return [kind for kind in COMPARED if kind in self.wanted and (self.relied is None or kind in self.relied)]

    @property
    def left_out(self) -> list[str]:
        """Those that would be compared, had the client not declared others."""
        return [kind for kind in COMPARED if kind in self.wanted and kind not in self.kinds]

    @property
    def has_versions(self) -> bool:
        """Quantity and price hang on a version, and which one is current on its command."""
        return "orderVersion" in self.wanted and bool(self.wanted & {"command", "commandReport"})

    def fields(self, kind: str) -> list[str]:
        """The compared fields of a type, as far as the client can know them."""
        unknown = VERSION_FIELDS if kind == "order" and not self.has_versions else ()
        return [name for name in COMPARED[kind] if name not in unknown]

    def covers(self, kind: str) -> bool:
        """Whether an event of this type, as it was sent, bears on what is compared."""
        of = FORMS.get(kind.lower())
        return of in self.kinds or (of in _TYPES[len(COMPARED) :] and "order" in self.kinds and self.has_versions)


def scope_of(bodies: Sequence[Any], declared: Collection[str] = ()) -> Scope:
    """By the bodies of sync requests, all types where one names users or accounts and no types; and by the types that
    the client declares.
    """
    relied = frozenset(_known(declared)) if declared else None
    return Scope(frozenset(_subscribed(bodies)), _accounts(bodies), relied)


def _subscribed(bodies: Sequence[Any]) -> set[str]:
    if any(map(_is_older, bodies)):
        return set(_TYPES)
    return {kind for body in bodies for kind in _known(texts_in(value_in(body, "entityTypes")))}


def _known(names: Iterable[str]) -> set[str]:
    """The types, in the singular, that these names are of."""
    return {FORMS[name.lower()] for name in names if name.lower() in FORMS}


def _is_older(body: Any) -> bool:
    """The older form of a sync request, which gets everything (TP §5.1)."""
    return value_in(body, "entityTypes") is None and bool(value_in(body, "users") or value_in(body, "accounts"))


def _accounts(bodies: Sequence[Any]) -> frozenset[str] | None:
    chosen: set[str] = set()
    for body in bodies:
        listed = value_in(body, "accounts")
        if not isinstance(listed, list) or not listed:
            return None
        chosen |= {ident_of(x) for x in listed}
    return frozenset(chosen)


def _account(kind: str, ident: str, entity: Mapping[str, Any], orders: Entities) -> str:
    if kind == "account":
        return ident
    if kind == "fill":
        entity = orders.get(ident_of(entity.get("orderId")), {})
    return ident_of(entity.get("accountId"))


def types_in(entities: Mapping[str, Any]) -> set[str]:
    """The types, in the singular, of which a client's snapshot has the name."""
    return _known(entities)


def _by_id(collection: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Entities with their ids, from a list of them or an object with ids as keys."""
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(collection, dict):
        pairs = collection.items()
    elif isinstance(collection, list):
        pairs = ((None, entity) for entity in collection)
    return ((ident_of(entity.get("id", key)), entity) for key, entity in pairs if isinstance(entity, dict))


def _held(entities: Mapping[str, Any], kind: str) -> tuple[dict[str, list[dict[str, Any]]], set[str]]:
    """All that a snapshot has of a type, by id; and the ids that stand twice in one collection."""
    found: dict[str, list[dict[str, Any]]] = {}
    twice: set[str] = set()
    for key, collection in entities.items():
        if FORMS.get(key.lower()) == kind:
            twice |= _repeated(collection)
            for ident, entity in _by_id(collection):
                found.setdefault(ident, []).append(entity)
    return found, twice


def _repeated(collection: Any) -> set[str]:
    """The ids that stand in it more than once."""
    here = Counter(ident for ident, _ in _by_id(collection))
    return {ident for ident, times in here.items() if times > 1}


def _lacking_or_other(
    kind: str, names: list[str], due: Entities, held: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Difference]:
    """Of the entities that are `due`: those that the client has not, and fields that are other with it."""
    for ident, entity in due.items():
        mine = held.get(ident, ())
        if mine:
            yield from _other_fields(kind, names, ident, entity, mine)
        elif not _is_finished(kind, entity) and not _is_flat(kind, entity):
            yield Difference(kind, ident, PRESENCE, "there", "absent")


def _other_fields(
    kind: str, names: list[str], ident: str, entity: Mapping[str, Any], mine: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    for name in names:
        expected = entity.get(name)
        told = _values(name, mine)
        if not _may_differ(kind, name, entity, told) and not all(same(expected, actual) for actual in told):
            yield Difference(kind, ident, name, _show(expected), _show_all(told))


def _values(name: str, mine: Sequence[Mapping[str, Any]]) -> list[Any]:
    """What the client's entries of one id have in a field; [None] where none has anything.

    Entries that agree are one; where they do not, a wrong one is believed as much as the right one.
    """
    return [x[name] for x in mine if x.get(name) is not None] or [None]


def _may_differ(kind: str, name: str, entity: Mapping[str, Any], told: list[Any]) -> bool:
    """Fields that a correct client need not know: it may have forgotten the entity altogether."""
    if _is_finished(kind, entity) and told == [None] and name != "ordStatus":
        return True
    return _is_flat(kind, entity) and name == "netPrice"  # no contract is held at any price


def _too_much(
    kind: str, truth: Entities, held: Mapping[str, Sequence[Mapping[str, Any]]], twice: Collection[str]
) -> Iterator[Difference]:
    """What the client has and the ledger has not, or has once only."""
    for ident in held:
        if ident not in truth:
            yield Difference(kind, ident, ABSENCE, "absent", "there")
        elif ident in twice and kind == "fill":  # one fill twice is a position that is wrong
            yield Difference(kind, ident, ABSENCE, "there once", "there twice")


def _is_finished(kind: str, entity: Mapping[str, Any]) -> bool:
    """An order that is over: a client may forget it."""
    return kind == "order" and str(entity.get("ordStatus")).lower() in TERMINAL


def _is_flat(kind: str, entity: Mapping[str, Any]) -> bool:
    """A position of nothing: a client may forget it."""
    return kind == "position" and _number(entity.get("netPos")) == 0


# Values.


def same(expected: Any, actual: Any) -> bool:
    """Whether both are one value: numbers by `_is_one`, as JSON numbers or as texts; words in any letter case; and of
    what the broker has not, nothing, an empty text or 0.
    """
    if expected is None:
        return actual is None or actual == "" or _number(actual) == 0
    wanted = _number(expected)
    if wanted is not None:
        held = _number(actual)
        return held is not None and _is_one(wanted, held)
    return isinstance(actual, str) and actual.casefold() == str(expected).casefold()


def _is_one(wanted: Decimal, held: Decimal) -> bool:
    """Ids and other whole numbers exactly; what has a fraction as the double that the schema says it is (TP §8)."""
    return held == wanted if wanted == wanted.to_integral_value() else float(held) == float(wanted)


def _number(value: Any) -> Decimal | None:
    """A number exactly as its JSON text says it: the shortest text of a float is that which it was read from."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def ident_of(value: Any) -> str:
    number = _number(value)
    if number is not None and number == number.to_integral_value():
        return str(int(number)) if abs(number) < 10**30 else str(number)
    return str(value)


def _show(value: Any) -> str:
    return "absent" if value is None else str(value)


def _show_all(values: Sequence[Any]) -> str:
    """What the entries of one id say."""
    different = list(dict.fromkeys(map(_show, values)))
    if len(different) == 1:
        return different[0]
    *others, last = [*different[:2], different[-1]] if len(different) > 3 else different
    return f"{', '.join(others)} and {last} (it stands there {len(values)} times)"
