"""What the client believes against what is true, at the points of comparison: its snapshots and the broker's ledger.

The law: what equal means is `differences.py`'s. A difference counts once the client had the time that the limits give
it; then it names entity, field, both values, and the frame that carried the entity last. Times are microseconds. Pure:
no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Report, Snapshot
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.judge.tradovate.model.differences import (
    ABSENCE,
    PRESENCE,
    VERSION_FIELDS,
    Difference,
    Scope,
    differences,
    scope_of,
    types_in,
)
from brokercert.judge.tradovate.model.entities import OF_AN_ORDER, entities_in, is_of
from brokercert.verdict import Finding, Form

TOLERANCE = 1_000  # microseconds: a timer's resolution


def compare_at(bench: Bench, name: str, clauses: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """The findings of one point of comparison: pass; a breach for each field that differs; or not observed.

    `clauses` are the fields that are asked about, as in `differences.compared_fields`; none: all. Yields nothing
    where the scenario did not come to that point.
    """
    talk = bench.talk
    ledger = talk.told.ledgers.get(name)
    if ledger is None:
        return
    told_at, number, _ = ledger
    shots = _shots(talk, name)
    if not shots:
        missing = bench.short(f"{name}: {_why_no_snapshot(talk, number)}{bench.exit_text()}", [number])
        yield unless_held(bench, missing, _answers(talk, number))
        return
    declared = bench.header.entity_types
    scope = scope_at(talk, declared)
    if not scope.kinds:
        yield bench.short(f"{name}: {why_nothing(scope)}", [number])
        return
    due = due_at(talk, name, bench.micros("snapshot_settle"))
    first = next((shot for shot in shots if not differences_at(talk, name, shot, declared, clauses)), None)
    last = shots[-1]
    if first is None:
        if last.asked < due - TOLERANCE:
            early = bench.short(
                f"{name}: the client's state was not the ledger's yet when it was asked for last, "
                f"{seconds(last.asked - told_at)} after the last event{bench.exit_text()}",
                [number, last.record],
            )
            yield unless_held(bench, early, _answers(talk, number))
        else:
            yield from _breaches(bench, name, last, "", clauses)
        return
    if last.asked - first.t < bench.micros("snapshot_stable") - TOLERANCE:
        once = bench.short(
            f"{name}: the client's state was the ledger's, and was not asked for again{bench.exit_text()}",
            [number, first.record],
        )
        yield unless_held(bench, once, _answers(talk, number))
    elif differences_at(talk, name, last, declared, clauses):
        yield from _breaches(bench, name, last, f"; it had been equal {seconds(last.asked - first.t)} before", clauses)
    else:
        unseen = [kind for kind in unseen_at(talk, name, declared) if _is_asked(kind, clauses)]
        for kind in unseen:
            yield bench.short(f"{name}: the client's snapshots have no `{kind}`", [number, last.record], clause=kind)
        seen = ", ".join(kind for kind in scope.kinds if kind not in unseen and _is_asked(kind, clauses))
        if not seen:
            return
        lacking = "" if scope.has_versions else " (not its quantity and price: no order versions are subscribed)"
        if scope.left_out:
            lacking += f"; not {', '.join(scope.left_out)}, which it does not declare it relies on"
        yield bench.ok(
            Form.SHOWN,
            f"{name}: the client's state ({seen}{lacking}) was the ledger's {seconds(first.t - told_at)} after it, "
            f"and {seconds(last.asked - first.t)} later still",
            [number, first.record, last.record],
        )


def differences_at(
    talk: Conversation, name: str, shot: Snapshot, declared: Collection[str], clauses: frozenset[str] = frozenset()
) -> list[Difference]:
    """The differences of a snapshot from the ledger of that name in these fields (none: all), in the ledger's order.
    `declared` are the entity types that the client declares it relies on (none: not declared).
    """
    unseen = unseen_at(talk, name, declared)
    found = differences(talk.told.ledgers[name][2], shot.entities, scope_at(talk, declared), unseen)
    return [difference for difference in found if not clauses or difference.clause in clauses]


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


def scope_at(talk: Conversation, declared: Collection[str]) -> Scope:
    """What of a client's state is compared."""
    return scope_of([c.syncs[0].body for c in talk.synced], declared)


def why_nothing(scope: Scope) -> str:
    """Why nothing is."""
    said = "the client subscribed to no entity type that is compared"
    return f"{said} and that it declares it relies on (`entity_types`)" if scope.left_out else said


def unseen_at(talk: Conversation, name: str, declared: Collection[str]) -> list[str]:
    """Types of which the ledger holds something and no snapshot of the client's ever had the name."""
    state = talk.told.ledgers[name][2]
    shown = set[str]().union(*(types_in(shot.entities) for shot in talk.told.snapshots))
    return [kind for kind in scope_at(talk, declared).kinds if kind not in shown and state.get(kind)]


def _is_asked(kind: str, clauses: frozenset[str]) -> bool:
    return not clauses or any(clause.partition(".")[0] == kind for clause in clauses)


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


def _answers(talk: Conversation, number: int) -> list[Report]:
    """The snapshots that were asked for after that ledger, whenever they were read: a buffer may have kept them."""
    asked = [x for x in talk.told.commands.values() if x.command == "snapshot" and x.record > number]
    in_time = [Report(x.snapshot.t, x.snapshot.record, {}) for x in asked if x.snapshot is not None]
    return [*in_time, *(talk.told.late_answers("snapshot", *(x.id for x in asked)) if asked else ())]


def _next_ledger(talk: Conversation, number: int) -> int | None:
    return min((other for _, other, _ in talk.told.ledgers.values() if other > number), default=None)


def _why_no_snapshot(talk: Conversation, number: int) -> str:
    asked = [x for x in talk.told.commands.values() if x.command == "snapshot" and x.record > number]
    if not asked:
        return "the client was not asked for its state"
    if not asked[-1].told:
        return "the client takes no commands: its standard input is closed, or its class has no `command`"
    wrong = next((x for x in reversed(talk.told.misfits) if x.event == "snapshot" and x.record > number), None)
    if wrong is not None:
        return f"the client was asked for its state, and its snapshot could not be read: {wrong.why} ({wrong.place})"
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
    for difference in differences_at(talk, name, shot, bench.header.entity_types, clauses):
        by_clause.setdefault(difference.clause, []).append(difference)
    for clause, all_of_it in by_clause.items():
        one = all_of_it[0]
        what = "" if one.field in (PRESENCE, ABSENCE) else f" has {one.field}"
        others = f" (and {len(all_of_it) - 1} more)" if len(all_of_it) > 1 else ""
        frame = carrier(talk, one, shot.record)
        carried = f"; frame #{frame} carried it last" if frame else "; no frame carried it"
        breach = bench.breach(
            Form.ABSENCE,
            f"{name}: {one.kind} {one.id}{what or ' is'} {one.actual} with the client{others}, "
            f"{seconds(shot.asked - told_at)} after the ledger was taken{carried}{more}",
            f"{one.kind} {one.id}{what or ' is'} {one.expected}, as in the ledger",
            [number, *([frame] if frame else []), shot.record],
            clause=clause,
        )
        yield replace(breach, about=(one.kind, one.id))


def carrier(talk: Conversation, difference: Difference, before: int) -> int | None:
    """The last frame before a record that carried the entity (or, for a version's field, its version or command)."""
    kinds = {difference.kind}
    if difference.field in VERSION_FIELDS and difference.kind == "order":
        kinds |= set(OF_AN_ORDER)
    frames = sorted((number, text) for c in talk.connections.values() for _, number, text in c.data_sent)
    for number, text in reversed(frames):
        if number < before and difference.id in text and text.startswith("a"):
            if any(kind in kinds and is_of(kind, entity, difference.id) for kind, entity in entities_in(text)):
                return number
    return None
