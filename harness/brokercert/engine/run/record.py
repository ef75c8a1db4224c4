"""Puts a run record together: from what was played, or from saved traces alone. Both judge by the same functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from brokercert.engine.ask.given import is_file
from brokercert.engine.client.environment import tool
from brokercert.engine.client.telling import badly_told, buffered_in, told_badly
from brokercert.engine.play.scenario import Suite
from brokercert.engine.run.defects import score_sentence
from brokercert.engine.run.judgements import Judgements, stall_notes
from brokercert.engine.run.plan import blocked, left_out, listed, not_offered
from brokercert.engine.run.preflight import start_of
from brokercert.judge import excerpts_from, judge_rows
from brokercert.requirements import RequirementSet
from brokercert.trace import records as r
from brokercert.verdict import (
    NAMED,
    RUN_FORMAT,
    SIMULATED,
    Absent,
    Calibration,
    LimitUsed,
    RunRecord,
    ScenarioResult,
    SubjectInfo,
    Timing,
    outcome_of,
    sentence_of,
)

if TYPE_CHECKING:
    from brokercert.engine.play.play import Played
    from brokercert.engine.run.run import RunRequest


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run beside its traces. Times in seconds."""

    request: RunRequest
    rows: RequirementSet
    suite: Suite
    plan_predicted: float
    run_id: str
    started: str
    calibration: Calibration | None
    toxiproxy: str
    environment: dict[str, str]
    exclusive_took: float
    total_took: float
    virtual_took: float
    again_took: float
    interrupted: bool
    unplayed: tuple[ScenarioResult, ...]
    judged: Judgements | None = None  # what was judged already while it ran
    never_came: bool = False  # the client, in the preflight: that is why
    notes: tuple[str, ...] = ()  # sentences of the run's own


def run_record(facts: RunFacts, played: Sequence[Played]) -> RunRecord:
    """Judge every trace, fold the findings into rows, and decide the outcome."""
    request, rows, judging = facts.request, facts.rows, facts.suite.dialect.judging
    # Which ended first is chance, and offline nobody knows.
    played = sorted(played, key=lambda one: (one.result.name, one.result.play))
    findings = (facts.judged or Judgements(rows, judging)).together(played)
    findings += not_offered(rows, facts.suite, facts.unplayed, request.subject.offers, request.subject.absent)
    if facts.never_came:
        findings += blocked(rows, facts.suite, facts.unplayed, request.subject.offers, request.subject.absent)
    cells = any(result.fault for result in (*facts.unplayed, *(one.result for one in played)))
    part = rows.part(request.part) if request.part else tuple(row.id for row in rows.rows)
    spec = request.subject
    results = judge_rows(
        rows,
        findings,
        listed=listed(facts.suite, facts.unplayed, request.scenarios),
        in_part=part,
        selected=request.only,
        excerpt_of=excerpts_from({(one.result.name, one.result.play): one.trace for one in played}, judging),
        reproduce=request.again.command_line,
    )
    outcome = outcome_of(results, strict=request.strict, interrupted=facts.interrupted)
    together = [one for one in played if not one.result.exclusive and not one.trace.header.before_all]
    first = [one.result for one in together if one.result.tier == request.tier and one.result.play == 1]
    longest = max((result.duration for result in first), default=0.0)
    beside = facts.exclusive_took + facts.virtual_took + facts.again_took
    before = next((one.trace for one in reversed(played) if one.trace.header.before_all), None)
    return RunRecord(
        format=RUN_FORMAT,
        run_id=facts.run_id,
        started=facts.started,
        tool=tool(),
        tier=request.tier,
        set_id=rows.id,
        set_title=rows.title,
        set_version=rows.version,
        set_hash=rows.hash,
        part=request.part,
        strict=request.strict,
        selected=request.only,
        seed=request.seed,
        subject=SubjectInfo(
            name=spec.name,
            command=tuple(spec.command or ()),
            level=spec.level,
            absent=tuple(Absent(name=name, reason=reason) for name, reason in spec.absent.items()),
            readings=dict(spec.readings),
            entity_types=spec.entity_types,
        ),
        toxiproxy=facts.toxiproxy,
        limits=limits_used(rows),
        calibration=facts.calibration,
        timing=Timing(
            predicted=round(facts.plan_predicted, 1),
            longest_waiting=round(longest, 1),
            exclusive=round(facts.exclusive_took, 1),
            rest=round(max(0.0, facts.total_took - longest - beside), 1),
            total=round(facts.total_took, 1),
            virtual=round(facts.virtual_took, 1),
            again=round(facts.again_took, 1),
        ),
        environment=facts.environment,
        scenarios=tuple(one.result for one in played) + facts.unplayed + (left_out(facts.suite) if cells else ()),
        rows=tuple(results),
        outcome=outcome,
        sentence=sentence_of(outcome, results, subject=spec.name, set_id=rows.id, part=request.part),
        reproduce=request.again.command_line(*request.only),
        notes=(
            *_notes(rows, facts.suite),
            *facts.notes,
            *stall_notes(map(_stalls, played)),
            *_broken(played, request.out / facts.run_id),
            *(lost_traces(played, request.out / facts.run_id) if request.tier == "real" else ()),
        ),
        start=start_of(before) if before else None,
        telling=(*buffered_in(findings), *told_badly([badly_told(one.trace, judging) for one in played])),
        faults=facts.suite.faults if cells else (),
        phases=facts.suite.phases if cells else (),
    )


def _stalls(played: Played) -> tuple[str, int, tuple[r.Stall, ...]]:
    stalls = tuple(x for x in played.trace.records if isinstance(x, r.Stall))
    return played.result.name, played.result.play, stalls


def interrupted_record(run: RunRecord) -> RunRecord:
    """The same of a run that was asked to end while it was judged: all that was found stands, nothing is certified."""
    outcome = outcome_of(run.rows, strict=run.strict, interrupted=True)
    sentence = sentence_of(outcome, run.rows, subject=run.subject.name, set_id=run.set_id, part=run.part)
    return structs.replace(run, outcome=outcome, sentence=sentence)


def _broken(played: Sequence[Played], folder: Path) -> list[str]:
    """What to do about scenarios that broke, in their last playing."""
    last = {one.result.name: one.result for one in played}
    names = [name for name, result in last.items() if result.state == "harness error"]
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [
        f"The harness broke in {', '.join(names[:NAMED])}{more}. That says nothing of the client; all other scenarios "
        f"are judged. The traces are in {folder}, and `brokercert judge {folder}` judges them again."
    ]


def lost_traces(played: Sequence[Played], folder: Path) -> list[str]:
    """What to say of traces that are not in the run's folder, whole: nobody can judge them again."""
    gone = [one for one in played if one.result.trace and not (one.kept and is_file(folder / one.result.trace))]
    if not gone:
        return []
    more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
    names = ", ".join(one.result.trace for one in gone[:NAMED])
    return [
        f"In {folder} these traces are missing or cut short: {names}{more}. Something removed them, or they could not "
        "be written. They were judged from memory; `brokercert judge` cannot repeat it."
    ]


def limits_used(rows: RequirementSet) -> tuple[LimitUsed, ...]:
    """The limits in force, a deviation with the set's own value."""
    return tuple(
        LimitUsed(
            name=limit.name,
            value=limit.value,
            unit=limit.unit,
            origin=limit.origin,
            text=limit.text,
            default=rows.deviations.get(limit.name),
        )
        for limit in rows.limits.values()
    )


def _notes(rows: RequirementSet, suite: Suite) -> tuple[str, ...]:
    notes = [SIMULATED]
    if rows.deviations:
        notes.append("Limits were changed for this run: " + ", ".join(sorted(rows.deviations)) + ".")
    return (*notes, *filter(None, [score_sentence(suite)]))
