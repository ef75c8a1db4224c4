"""Puts a run record together: from what was played, or from saved traces alone. Both judge by the same functions."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brokercert.engine.defects import score_sentence
from brokercert.engine.environment import tool
from brokercert.engine.plan import left_out, listed, not_offered
from brokercert.engine.scenario import Suite
from brokercert.engine.telling import badly_told, buffered_in, told_badly
from brokercert.judge import Judging, excerpts_from, judge_rows, judge_trace
from brokercert.requirements import RequirementSet
from brokercert.trace import Trace
from brokercert.verdict import (
    NAMED,
    RUN_FORMAT,
    Absent,
    Calibration,
    Finding,
    LimitUsed,
    RunRecord,
    ScenarioResult,
    SubjectInfo,
    Timing,
    Verdict,
    outcome_of,
    sentence_of,
)

if TYPE_CHECKING:
    from brokercert.engine.play import Played
    from brokercert.engine.run import RunRequest


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
    interrupted: bool
    unplayed: tuple[ScenarioResult, ...]
    notes: tuple[str, ...] = ()  # sentences of the run's own


def run_record(facts: RunFacts, played: Sequence[Played]) -> RunRecord:
    """Judge every trace, fold the findings into rows, and decide the outcome."""
    request, rows = facts.request, facts.rows
    played = sorted(played, key=lambda one: one.result.name)  # which ended first is chance, and offline nobody knows
    findings: list[Finding] = []
    for one in played:
        findings += findings_of(one.trace, rows, facts.suite.dialect.judging)
    findings += not_offered(rows, facts.suite, facts.unplayed, request.subject.offers, request.subject.absent)
    cells = any(result.fault for result in (*facts.unplayed, *(one.result for one in played)))
    part = rows.part(request.part) if request.part else tuple(row.id for row in rows.rows)
    spec = request.subject
    results = judge_rows(
        rows,
        findings,
        listed=listed(facts.suite, facts.unplayed, request.scenarios),
        in_part=part,
        selected=request.only,
        excerpt_of=excerpts_from({one.trace.header.scenario: one.trace for one in played}),
        reproduce=request.again.command_line,
    )
    outcome = outcome_of(results, strict=request.strict, interrupted=facts.interrupted)
    waiting = [one.result.duration for one in played if not one.result.exclusive and one.result.tier == request.tier]
    longest = max(waiting, default=0.0)
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
            rest=round(max(0.0, facts.total_took - longest - facts.exclusive_took - facts.virtual_took), 1),
            total=round(facts.total_took, 1),
            virtual=round(facts.virtual_took, 1),
        ),
        environment=facts.environment,
        scenarios=tuple(one.result for one in played) + facts.unplayed + (left_out(facts.suite) if cells else ()),
        rows=tuple(results),
        outcome=outcome,
        sentence=sentence_of(outcome, results, set_id=rows.id, part=request.part),
        reproduce=request.again.command_line(*request.only),
        notes=(*_notes(rows, facts.suite), *facts.notes, *_broken(played, request.out / facts.run_id)),
        telling=(*buffered_in(findings), *told_badly([badly_told(one.trace) for one in played])),
        faults=facts.suite.faults if cells else (),
        phases=facts.suite.phases if cells else (),
    )


def findings_of(trace: Trace, rows: RequirementSet, judging: Judging) -> list[Finding]:
    """What one trace supports. A check that raises is our bug: a harness error of this scenario, and of no other."""
    try:
        return judge_trace(trace, rows, judging)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"judging it broke: {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        known = [row for row in trace.header.exercises if row in rows.by_id]
        return [
            Finding(requirement=row, scenario=trace.header.scenario, verdict=Verdict.HARNESS_ERROR, observed=what)
            for row in known
        ]


def _broken(played: Sequence[Played], folder: Path) -> list[str]:
    """What to do about scenarios that broke."""
    names = [one.result.name for one in played if one.result.state == "harness error"]
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [
        f"The harness broke in {', '.join(names[:NAMED])}{more}. That says nothing of the client; all other scenarios "
        f"are judged. The traces are in {folder}, and `brokercert judge {folder}` judges them again."
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
    notes = ["The broker was a simulated one; the live broker decides on its own."]
    if rows.deviations:
        notes.append("Limits were changed for this run: " + ", ".join(sorted(rows.deviations)) + ".")
    return (*notes, *filter(None, [score_sentence(suite)]))
