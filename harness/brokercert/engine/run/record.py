"""Puts a run's record together from evidence, whether the run was just played or its traces were saved.

The law: there is one builder. `live.py` and `offline.py` say what their evidence is, and nothing of what follows from
it, so that a run and its saved traces cannot be told differently.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from brokercert.engine.ask.waivers import Waivers
from brokercert.engine.client.environment import tool
from brokercert.engine.client.telling import BadlyTold, badly_told, buffered_in, told_badly
from brokercert.engine.play.scenario import Suite
from brokercert.engine.run.defects import judge_of
from brokercert.engine.run.edition import other_edition_in
from brokercert.engine.run.judgements import stall_notes, together
from brokercert.engine.run.plan import blocked, left_out, not_offered, of_part
from brokercert.engine.run.preflight import start_of
from brokercert.judge import Judging, judge_rows
from brokercert.judge.rows import Excerpting
from brokercert.judge.shapes import told
from brokercert.requirements import RequirementSet
from brokercert.trace import Shape, Trace
from brokercert.trace import records as r
from brokercert.trace.records import Asked
from brokercert.verdict import (
    RUN_FORMAT,
    Calibration,
    Finding,
    LimitUsed,
    Outcome,
    RowResult,
    RunRecord,
    ScenarioResult,
    Start,
    SubjectInfo,
    Timing,
    concluded,
)

NO_TIMING = Timing(predicted=0, longest_waiting=0, exclusive=0, rest=0, total=0)


@dataclass(frozen=True, slots=True)
class Playing:
    """What one playing of a scenario showed."""

    result: ScenarioResult
    findings: Sequence[Finding] = ()
    stalls: tuple[r.Stall, ...] = ()
    badly: BadlyTold | None = None  # None: it was not judged any more
    start: Start | None = None  # what it says of the client's first start
    shape: Shape | None = None  # by which it was judged
    other_edition: str = ""  # the sentence on its signs
    second_look: bool = False  # a preflight that was not tried again, but looked at twice

    @property
    def stood_still(self) -> tuple[str, int, tuple[r.Stall, ...]]:
        """Its scenario, which playing of it this was, and its standstills."""
        return self.result.name, 1 if self.second_look else self.result.play, self.stalls

    @property
    def key(self) -> tuple[str, int]:
        return self.result.name, self.result.play


def playing_of(
    result: ScenarioResult, trace: Trace, findings: Sequence[Finding], judging: Judging, rows: RequirementSet
) -> Playing:
    """The same of a trace that is at hand."""
    return Playing(
        result=result,
        findings=findings,
        stalls=tuple(x for x in trace.records if isinstance(x, r.Stall)),
        badly=badly_told(trace, judging),
        start=start_of(trace) if trace.header.before_all else None,
        shape=trace.header.shape,
        other_edition=other_edition_in(trace, rows),
        second_look=trace.header.is_second_look,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """How the run was made. `started` is ISO-8601, in UTC."""

    run_id: str
    started: str
    tier: str
    seed: int
    challenge: str
    toxiproxy: str
    environment: dict[str, str]
    calibration: Calibration | None = None
    timing: Timing = NO_TIMING


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a record follows from.

    `manifest`: the SHA-256 by which its set's is named. `unplayed`: the scenarios without a playing, each with its
    reason. `owed`: requirement -> the scenarios that it is owed. `missing`: scenarios that were called for and of which
    there is no trace. `doubt`: why nothing vouches that the traces are all of its traces, as it wrote them; empty: it
    is vouched for. `waivers` are those of the run. `ended_early` is why it went no further than its first failure.
    `reproduce` is the command that asks for one row again, `again` the one that asks for all of it. `opening` are the
    notes before those about standstills, of the rows as they were judged; `closing` those after.
    """

    rows: RequirementSet
    suite: Suite
    manifest: str
    asked: Asked
    subject: SubjectInfo
    offers: Collection[str]
    made: Circumstances
    playings: Sequence[Playing]
    unplayed: Sequence[ScenarioResult]
    owed: Mapping[str, Sequence[str]]
    excerpt_of: Excerpting
    reproduce: Callable[[str], str]
    again: str
    never_came: bool = False  # the client, in the preflight: that is why the rest was not played
    interrupted: bool = False
    missing: tuple[str, ...] = ()
    doubt: str = ""
    waivers: Waivers = field(default_factory=Waivers)
    ended_early: str = ""
    opening: Callable[[Sequence[RowResult]], Iterable[str]] = field(default=lambda results: ())
    closing: tuple[str, ...] = ()


def gathered(evidence: Evidence) -> RunRecord:
    """Fold the findings into rows, and decide the outcome."""
    rows, suite, asked, made = evidence.rows, evidence.suite, evidence.asked, evidence.made
    # Which playing ended first is chance, and offline nobody knows.
    playings = sorted(evidence.playings, key=lambda one: one.key)
    findings = _findings(evidence, playings)
    results = judge_rows(
        rows,
        findings,
        listed=evidence.owed,
        in_part=of_part(rows, asked.part),
        selected=asked.only,
        excerpt_of=evidence.excerpt_of,
        reproduce=evidence.reproduce,
    )
    scenarios = (*(one.result for one in playings), *evidence.unplayed)
    cells = any(one.fault for one in scenarios)
    run = RunRecord(
        format=RUN_FORMAT,
        run_id=made.run_id,
        started=made.started,
        tool=tool(),
        judge=judge_of(suite),
        tier=made.tier,
        set_id=rows.id,
        set_title=rows.title,
        set_version=rows.version,
        set_hash=rows.hash,
        part=asked.part,
        strict=asked.strict,
        selected=asked.only,
        seed=made.seed,
        subject=evidence.subject,
        toxiproxy=made.toxiproxy,
        limits=limits_used(rows),
        calibration=made.calibration,
        timing=made.timing,
        environment=made.environment,
        scenarios=(*scenarios, *(left_out(suite) if cells else ())),
        rows=tuple(results),
        outcome=Outcome.INCOMPLETE,  # until all is there that decides it
        sentence="",
        reproduce=evidence.again,
        notes=(
            *evidence.opening(results),
            *stall_notes(one.stood_still for one in playings),
            *evidence.closing,
        ),
        missing=evidence.missing,
        vouched=not evidence.doubt,
        doubt=evidence.doubt,
        manifest=evidence.manifest,
        waivers=evidence.waivers.listed,
        waived_on=evidence.waivers.on,
        ended_early=evidence.ended_early,
        shape=_shape_told(playings),
        start=max((one.start for one in playings if one.start), key=lambda start: start.tries, default=None),
        telling=(*buffered_in(findings), *told_badly([one.badly for one in playings if one.badly])),
        faults=suite.faults if cells else (),
        phases=suite.phases if cells else (),
        set_name=rows.name,
        source=rows.source,
        other_edition=next((one.other_edition for one in playings if one.other_edition), ""),
        challenge=made.challenge,
    )
    return concluded(run, interrupted=evidence.interrupted)


def _shape_told(playings: Sequence[Playing]) -> str:
    """The client's healthy shape in words, as its scenarios were judged by it."""
    shapes = [one.shape for one in playings if one.shape is not None and not one.second_look]
    return told(shapes[0]) if shapes else ""


def _findings(evidence: Evidence, playings: Sequence[Playing]) -> list[Finding]:
    """Those of all playings, and what follows from scenarios that were not played."""
    absent = {one.name: one.reason for one in evidence.subject.absent}
    unplayed = (evidence.rows, evidence.suite, evidence.unplayed, evidence.offers, absent)
    findings = together((one.result, one.findings) for one in playings)
    findings += not_offered(*unplayed)
    if evidence.never_came:
        findings += blocked(*unplayed)
    return findings


def interrupted_record(run: RunRecord) -> RunRecord:
    """The same of a run that was asked to end while it was judged: all that was found stands, nothing is certified."""
    return concluded(run, interrupted=True)


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
