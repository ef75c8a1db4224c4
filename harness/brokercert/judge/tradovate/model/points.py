"""Points of comparison: what the broker's ledger was, what the client said that it held, and from when both are equal.

A part of reading, for the checks and for the stage of a running scenario; it decides nothing. What equal means is
`differences.py`'s. Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Collection

from brokercert.judge.told import Asked, Report, Snapshot
from brokercert.judge.tradovate.model.conversation import Conversation, answers_of
from brokercert.judge.tradovate.model.differences import (
    VERSION_FIELDS,
    Difference,
    Scope,
    differences,
    scope_of,
    types_in,
)
from brokercert.judge.tradovate.model.entities import about, entities_in, shown_as


def differences_at(
    talk: Conversation, name: str, shot: Snapshot, declared: Collection[str], clauses: frozenset[str] = frozenset()
) -> list[Difference]:
    """The differences of a snapshot from the ledger of that name in these fields (none: all), in the ledger's order.
    `declared` are the entity types that the client declares it relies on (none: not declared).
    """
    unseen = unseen_at(talk, name, declared)
    found = differences(talk.told.ledgers[name].what, shot.entities, scope_at(talk, declared), unseen)
    return [difference for difference in found if not clauses or difference.clause in clauses]


def due_at(talk: Conversation, name: str, settle: int, shot: Snapshot) -> int:
    """From when on the client's state must be that ledger, as known when `shot` was asked for.

    That is `settle` after the ledger was told, which is after the last event. Where the client came back later than
    that, it is `settle` after the last answer to a sync request. A later answer counts where the client was away at
    that moment: a loss that came after it is no excuse.
    """
    ledger = talk.told.ledgers[name]
    following = next_ledger(talk, ledger.record)
    synced = [answer for c in talk.synced for answer in answers_of(c.syncs) if answer.record < following]
    most = max((_live_at(talk, answer.record) for answer in synced), default=0)
    whole = _live_at(talk, shot.asked_record) >= most
    return max([ledger.t, *(x.t for x in synced if x.record < shot.asked_record or not whole)]) + settle


def _live_at(talk: Conversation, record: int) -> int:
    """How many of the client's sockets had synced by that record, with success, and had neither ended nor fallen
    silent: one that waits for its ticket, or for a broker that says nothing, cannot know.
    """
    return sum(
        1
        for c in talk.synced
        if c.synced is not None
        and c.synced.record <= record
        and not (c.ended and c.ended[0].record < record)
        and not (c.silent is not None and c.silent.record < record)
    )


def scope_at(talk: Conversation, declared: Collection[str]) -> Scope:
    """What of a client's state is compared."""
    return scope_of([c.syncs[0].body for c in talk.synced], declared)


def why_nothing(scope: Scope) -> str:
    """Why nothing of a client's state is compared."""
    said = "the client subscribed to no entity type that is compared"
    return f"{said} and that it declares it relies on (`entity_types`)" if scope.left_out else said


def unseen_at(talk: Conversation, name: str, declared: Collection[str]) -> list[str]:
    """Types of which the ledger holds something and no snapshot of the client's ever had the name."""
    state = talk.told.ledgers[name].what
    shown = set[str]().union(*(types_in(shot.entities) for shot in talk.told.snapshots))
    return [kind for kind in scope_at(talk, declared).kinds if kind not in shown and state.get(kind)]


def shots_at(talk: Conversation, name: str) -> list[Snapshot]:
    """The snapshots that were asked for after that ledger was told, and before the next."""
    number = talk.told.ledgers[name].record
    following = next_ledger(talk, number)
    return [shot for shot in talk.told.snapshots if number < shot.asked_record < following]


def asked_after(talk: Conversation, number: int) -> list[Asked]:
    """The commands for a snapshot after that record, in order."""
    return [x for x in talk.told.commands.values() if x.command == "snapshot" and x.record > number]


def answers_after(talk: Conversation, number: int) -> list[Report]:
    """The answers to those commands, be they read after the end of the observation: a buffer may have kept them."""
    asked = asked_after(talk, number)
    in_time = [Report(x.snapshot.t, x.snapshot.record, {}) for x in asked if x.snapshot is not None]
    return [*in_time, *(talk.told.late_answers("snapshot", *(x.id for x in asked)) if asked else ())]


def next_ledger(talk: Conversation, number: int) -> int:
    """The record of the first ledger after that record; where there is none, the one that the trace will have next."""
    later = [ledger.record for ledger in talk.told.ledgers.values() if ledger.record > number]
    return min(later, default=talk.count + 1)


def carrier(talk: Conversation, difference: Difference, before: int) -> int | None:
    """The last frame before a record that carried the entity (or, for a version's field, its version or command)."""
    earlier = (said for said in reversed(talk.data_sent) if said.record < before)
    return next((said.record for said in earlier if _carries(said.text, difference)), None)


def _carries(text: str, difference: Difference) -> bool:
    if difference.id not in text or not text.startswith("a"):
        return False
    kinds = shown_as(difference.kind) if difference.field in VERSION_FIELDS else {difference.kind}
    return any(about(entities_in(text), kinds, difference.id))
