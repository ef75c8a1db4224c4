"""What saved traces are owed: the scenarios of which there is none, why, and which of them are missed.

The law: it is listed from the suite, from the plan of the run and from the run's own record, never from the traces that
happen to be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from brokercert.engine.play.scenario import Suite, load_suite
from brokercert.engine.run.judgements import named
from brokercert.engine.run.plan import NEVER_CAME, Plan, Wanted, listed, plan_of, unplayed
from brokercert.engine.run.saved import Saved
from brokercert.requirements import RequirementSet
from brokercert.trace.records import Asked
from brokercert.verdict import RowResult, RunRecord, ScenarioResult

NO_TRACE = "no trace of it was given"


@dataclass(frozen=True, slots=True)
class Owed:
    """What the traces of a run should be. `plan` is that of the run; `asked` of what is judged of it now."""

    saved: Saved
    rows: RequirementSet
    suite: Suite
    plan: Plan
    asked: Plan

    @property
    def given(self) -> set[str]:
        """The scenarios of which there is a trace."""
        return {one.scenario for one in self.saved.headers}

    def unplayed(self, over: bool) -> tuple[ScenarioResult, ...]:
        """The scenarios of the run of which there is no trace, and why. `over`: with the preflight, which is there."""
        if over:
            return unplayed(self.plan, self.given, NEVER_CAME)
        gone = {name: one for name, one in self._recorded().items() if name not in self.given}
        planned = {scenario.name for scenario in self.plan.played}
        rest = [one for one in unplayed(self.plan, self.given, NO_TRACE) if one.name in planned or one.name not in gone]
        # Played beside the plan: those cells, and what this suite does not have any more.
        extra = [one for name, one in gone.items() if name not in planned]
        return (*rest, *(structs.replace(one, state="not run", note=NO_TRACE, trace="", sha256="") for one in extra))

    def _recorded(self) -> dict[str, ScenarioResult]:
        """What is known to have been played, by scenario."""
        known = {name: one for (name, _), one in self.saved.known.items()}
        if {one.tier for one in self.saved.headers} != {"real", "virtual"}:
            return known
        # Cells were played in virtual time beside a run in real time: all that its seed did not choose were.
        cells = {one.name for one in self.plan.left if one.cell}
        return known | {one.name: one for one in unplayed(self.plan, self.given, NO_TRACE) if one.name in cells}

    def missing(self, over: bool) -> tuple[str, ...]:
        """What is judged calls for these, and there is no trace of them."""
        return () if over else (*self._scenarios_missing(), *self._playings_missing())

    def _scenarios_missing(self) -> dict[str, None]:
        names = dict.fromkeys(scenario.name for scenario in self.asked.played if scenario.name not in self.given)
        left = {scenario.name for scenario in self.asked.left}
        exist = {scenario.name for scenario in self.suite.scenarios}
        gone = [one.name for one in self.unplayed(False) if one.state == "not run"]
        return names | dict.fromkeys(name for name in gone if name in left or name not in exist)

    def _playings_missing(self) -> Iterator[str]:
        """Others of the scenario are there: one of those that are not may have failed."""
        given = {(header.scenario, header.play) for header in self.saved.headers}
        names = {name for name, _ in given}
        called = {(name, play) for name, last in given for play in range(1, last)}
        called |= {key for key in self.saved.known if key[0] in names}
        return (f"{name} (playing {play})" for name, play in sorted(called - given))

    def listed(self, rest: Sequence[ScenarioResult], missing: Sequence[str]) -> dict[str, list[str]]:
        """Requirement -> the scenarios that it is owed: by this suite, by the traces given, and by the run's record."""
        owing = {row: list(names) for row, names in listed(self.suite, rest).items()}
        more = [(row, one.scenario) for one in self.saved.headers for row in one.exercises]
        if self.saved.record is not None:
            more += [(row.id, name) for row in self.saved.record.rows for name in row.scenarios if name in missing]
        for row, name in more:  # a scenario that this suite has not, or no more for that row
            if name not in owing.setdefault(row, []):
                owing[row].append(name)
        return owing


def what_is_owed(saved: Saved, rows: RequirementSet, wanted: Wanted, asked: Asked) -> Owed:
    """`wanted` is what the plan of the run followed from, `asked` what is asked of its traces now.

    Raises `UsageError` where this version knows no such row.
    """
    suite = load_suite(rows.id)
    now = replace(wanted, part=asked.part, only=asked.only)
    return Owed(saved, rows, suite, plan_of(wanted, rows, suite), plan_of(now, rows, suite))


def notes_of(
    saved: Saved,
    rows: RequirementSet,
    cut: Sequence[Path],
    missing: Sequence[str],
    some: bool,
    results: Sequence[RowResult],
) -> Iterator[str]:
    """What a reader of the record should know of its traces. `results` are compared with the run's own; empty:
    something else was asked, or there is nothing to compare. `some`: not every trace was judged, nor compared with the
    record.
    """
    header, record = saved.header, saved.record
    yield "Judged offline, from saved traces."
    if record is None:
        yield "No run.json of the run beside these traces: they are judged as they are, and nothing vouches for them."
    else:
        which = "The traces that were judged" if some else "The traces"
        seal = f" Its seal is {record.seal}." if record.seal else ""
        yield f"{which} are those that {saved.place} names, byte for byte (SHA-256).{seal}"
    if saved.manifest is None:
        yield (
            f"This version knows no manifest {header.manifest[:12] or 'of that time'} of {rows.name}, by which to tell "
            "what the traces should hold: they are judged, and certify nothing."
        )
    if header.set_hash != rows.hash:
        yield (
            f"The requirement set {rows.name} has changed since the traces were recorded (hash {header.set_hash[:12]} "
            f"then, {rows.hash[:12]} now): they are judged by the set as it is now."
        )
    if cut:
        yield f"Their run was interrupted or killed, these traces end early: {named([path.name for path in cut])}."
    if missing:
        yield f"No trace was given of {named(missing)}: the rows that each is listed for are untested."
    if record is not None:
        yield from _compared(record, str(saved.place), missing, results)


def _compared(record: RunRecord, place: str, missing: Sequence[str], results: Sequence[RowResult]) -> Iterator[str]:
    """What is otherwise than in the run's own record."""
    known = {one.name for one in record.scenarios}
    new = [name for name in missing if name not in known]
    if new:
        yield f"The run did not know these scenarios, which the suite has by now: {named(new)}."
    then = {row.id: row.verdict for row in record.rows}
    changed = [row for row in results if row.id in then and then[row.id] is not row.verdict]
    other = [f"{row.id} ({then[row.id]} then, {row.verdict} now)" for row in changed]
    if other:
        yield f"Judged otherwise than in {place}: {named(other)}."
