"""What the client believes against what is true, at the points of comparison: its snapshots and the broker's ledger.

The law: what equal means is `differences.py`'s. A difference counts once the client had the time that the limits give
it. Then it names entity, field, both values, and the frame that carried the entity last. A comparison counts for a row
once the row's stimulus came before it. Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.moments import Noted
from brokercert.judge.told import Snapshot
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import TIMER, Conversation
from brokercert.judge.tradovate.model.differences import Difference, Scope
from brokercert.judge.tradovate.model.points import (
    answers_after,
    asked_after,
    carrier,
    differences_at,
    due_at,
    scope_at,
    shots_at,
    unseen_at,
    why_nothing,
)
from brokercert.judge.tradovate.model.sends import why_silent
from brokercert.verdict import Finding, Form


def compare_at(bench: Bench, name: str, clauses: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """The findings of one point of comparison: pass; a breach for each field that differs; or not observed.

    `clauses` are the fields that are asked about, as in `differences.compared_fields`; none: all. Yields nothing
    where the scenario did not come to that point.
    """
    ledger = bench.talk.told.ledgers.get(name)
    if ledger is None:
        return
    point = _Point(bench, name, clauses, ledger)
    shots = shots_at(bench.talk, name)
    if not shots:
        yield point.not_told()
    elif not scope_of_client(bench).kinds:
        yield bench.short(f"{name}: {why_nothing(scope_of_client(bench))}", [ledger.record])
    else:
        yield from point.compared(shots)


def compared_after(
    bench: Bench, shown: Sequence[int], lacking: str, clauses: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """The comparisons after the first of the records `shown`, which carry the stimulus; `lacking` says what did not
    come. A client that was ended by the stimulus believes nothing any more: that is a breach, unless it left a healthy
    server, which LOG-060 forbids.
    """
    talk = bench.talk
    if not talk.synced:
        return
    if not shown:
        scope = scope_of_client(bench)
        yield bench.short(lacking if scope.kinds else why_nothing(scope))
        return
    first, died = min(shown), bench.death()
    if died is not None and died.record > first:
        yield from _gone(bench, first, died.t)
    else:
        yield from _compared_since(bench, first, clauses)


def _gone(bench: Bench, first: int, died: int) -> Iterator[Finding]:
    """The client ended at `died`, after the record `first`; nothing where it left a healthy server."""
    if not any(bench.unprovoked(c) for c in bench.talk.working()):
        yield bench.breach(
            Form.ENDING,
            f"the client was gone {seconds(died)} into the scenario{bench.exit_text()}",
            "a client that lives on, and knows what is true",
            [first, *bench.left(first)],
            clause="gone",
        )


def _compared_since(bench: Bench, first: int, clauses: frozenset[str]) -> Iterator[Finding]:
    """The comparisons after the record `first`."""
    for name, ledger in bench.talk.told.ledgers.items():
        if ledger.record > first:
            yield from compare_at(bench, name, clauses)


def scope_of_client(bench: Bench) -> Scope:
    """What of this client's state is compared."""
    return scope_at(bench.talk, bench.header.entity_types)


@dataclass(frozen=True, slots=True)
class _Point:
    """A point of comparison that the scenario came to, and what can be said of it."""

    bench: Bench
    name: str
    clauses: frozenset[str]
    ledger: Noted[dict[str, Any]]

    def differences(self, shot: Snapshot) -> list[Difference]:
        return differences_at(self.bench.talk, self.name, shot, self.bench.header.entity_types, self.clauses)

    def compared(self, shots: Sequence[Snapshot]) -> Iterator[Finding]:
        """By the first of the client's snapshots that was the ledger, and the last of them."""
        first = next((shot for shot in shots if not self.differences(shot)), None)
        yield from self.never_equal(shots[-1]) if first is None else self.equal_since(first, shots[-1])

    def not_told(self) -> Finding:
        """The client sent no snapshot."""
        why = _why_no_snapshot(self.bench.talk, self.ledger.record)
        return self._unsaid(f"{self.name}: {why}", [])

    def never_equal(self, last: Snapshot) -> Iterator[Finding]:
        """No snapshot was the ledger: a breach once the client was asked when it had to be."""
        due = due_at(self.bench.talk, self.name, self.bench.micros("snapshot_settle"), last)
        if last.asked < due - TIMER:
            after = seconds(last.asked - self.ledger.t)
            early = (
                f"the client's state was not the ledger's yet when it was asked for last, {after} after the last event"
            )
            yield self._unsaid(f"{self.name}: {early}", [last.record])
        else:
            yield from self._breaches(last, "")

    def equal_since(self, first: Snapshot, last: Snapshot) -> Iterator[Finding]:
        """The first snapshot that was the ledger; the state must be that ledger later still."""
        if last.asked - first.t < self.bench.micros("snapshot_stable") - TIMER:
            once = f"{self.name}: the client's state was the ledger's, and was not asked for again"
            yield self._unsaid(once, [first.record])
        elif self.differences(last):
            yield from self._breaches(last, f"; it had been equal {seconds(last.asked - first.t)} before")
        else:
            yield from self._equal(first, last)

    def _unsaid(self, observed: str, evidence: list[int]) -> Finding:
        """Not observed, for want of a snapshot; inconclusive where one lay in the client's output buffer."""
        bench, number = self.bench, self.ledger.record
        missing = bench.short(f"{observed}{bench.exit_text()}", [number, *evidence])
        return unless_held(bench, missing, answers_after(bench.talk, number))

    def _equal(self, first: Snapshot, last: Snapshot) -> Iterator[Finding]:
        """A pass of the types that the client showed; of others nothing is known."""
        bench = self.bench
        scope = scope_of_client(bench)
        unseen = self._asked(unseen_at(bench.talk, self.name, bench.header.entity_types))
        for kind in unseen:
            said = f"{self.name}: the client's snapshots have no `{kind}`"
            yield bench.short(said, [self.ledger.record, last.record], clause=kind)
        seen = ", ".join(kind for kind in self._asked(scope.kinds) if kind not in unseen)
        if seen:
            yield bench.ok(
                Form.SHOWN,
                f"{self.name}: the client's state ({seen}{_lacking(scope)}) was the ledger's "
                f"{seconds(first.t - self.ledger.t)} after it, and {seconds(last.asked - first.t)} later still",
                [self.ledger.record, first.record, last.record],
            )

    def _asked(self, kinds: list[str]) -> list[str]:
        """Those of these types that are asked about."""
        asked = {clause.partition(".")[0] for clause in self.clauses}
        return [kind for kind in kinds if kind in asked] if asked else kinds

    def _breaches(self, shot: Snapshot, more: str) -> Iterator[Finding]:
        """One for each field: the first entity in which it differs, and how many others there are."""
        by_clause: dict[str, list[Difference]] = {}
        for difference in self.differences(shot):
            by_clause.setdefault(difference.clause, []).append(difference)
        for alike in by_clause.values():
            yield self._breach(shot, alike[0], len(alike) - 1, more)

    def _breach(self, shot: Snapshot, one: Difference, others: int, more: str) -> Finding:
        counted = f" (and {others} more)" if others else ""
        frame = carrier(self.bench.talk, one, shot.record)
        carried = f"; frame #{frame} carried it last" if frame else "; no frame carried it"
        breach = self.bench.breach(
            Form.ABSENCE,
            f"{self.name}: {one.subject} {one.actual} with the client{counted}, "
            f"{seconds(shot.asked - self.ledger.t)} after the ledger was taken{carried}{more}",
            f"{one.subject} {one.expected}, as in the ledger",
            [self.ledger.record, *([frame] if frame else []), shot.record],
            clause=one.clause,
        )
        return replace(breach, about=(one.kind, one.id))


def _lacking(scope: Scope) -> str:
    """What a pass does not speak of."""
    said = "" if scope.has_versions else " (not its quantity and price: no order versions are subscribed)"
    if scope.left_out:
        said += f"; not {', '.join(scope.left_out)}, which it does not declare it relies on"
    return said


def _why_no_snapshot(talk: Conversation, number: int) -> str:
    asked = asked_after(talk, number)
    if not asked:
        return "the client was not asked for its state"
    misread = _why_not_read(talk, number) if asked[-1].told else ""
    silent = why_silent(talk, asked[-1], "snapshots")
    return misread or silent or "the client was asked for its state, and sent no snapshot"


def _why_not_read(talk: Conversation, number: int) -> str:
    """What is wrong with the last snapshot after that record that could not be read; empty: there was none."""
    for wrong in reversed(talk.told.misfits):
        if wrong.event == "snapshot" and wrong.record > number:
            return (
                f"the client was asked for its state, and its snapshot could not be read: {wrong.why} ({wrong.place})"
            )
    return ""
