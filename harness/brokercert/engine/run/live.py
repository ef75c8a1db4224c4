"""The evidence of a run that was just played, and its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from brokercert.engine.ask.given import is_file
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.play import Played
from brokercert.engine.run.defects import score_sentence
from brokercert.engine.run.judgements import Judgements
from brokercert.engine.run.manifest import todays
from brokercert.engine.run.plan import listed
from brokercert.engine.run.record import Circumstances, Evidence, Playing, gathered, playing_of
from brokercert.engine.run.request import Begun
from brokercert.judge import excerpts_from
from brokercert.verdict import (
    NAMED,
    SIMULATED,
    Absent,
    Calibration,
    RowResult,
    RunRecord,
    ScenarioResult,
    SubjectInfo,
    Timing,
)


@dataclass(frozen=True, slots=True)
class Took:
    """How long a run was to take, and took: seconds, of the clock of its tier."""

    predicted: float
    total: float
    exclusive: float = 0.0  # scenarios that were played alone
    virtual: float = 0.0  # cells in virtual time, beside a run in real time
    again: float = 0.0  # playings after the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that is over, to be judged. `came`: the client, in the preflight; or nobody can say."""

    run: Begun
    took: Took
    toxiproxy: str
    environment: dict[str, str]
    unplayed: tuple[ScenarioResult, ...]
    judged: Judgements  # with what was judged already while it ran
    calibration: Calibration | None = None
    interrupted: bool = False
    came: bool = True
    ended_early: str = ""
    notes: tuple[str, ...] = ()  # sentences of the run's own


def run_record(ended: Ended, played: Sequence[Played]) -> RunRecord:
    """Judge every trace, fold the findings into rows, and decide the outcome."""
    run, request = ended.run, ended.run.request
    played = sorted(played, key=lambda one: (one.result.name, one.result.play))
    judging = run.suite.dialect.judging
    playings = [playing_of(one.result, one.trace, ended.judged.of(one), judging, run.rows) for one in played]
    traces = {(one.result.name, one.result.play): one.trace for one in played}

    def opening(results: Sequence[RowResult]) -> Iterable[str]:
        return (*_notes(run), *filter(None, [ended.ended_early]), *ended.notes)

    return gathered(
        Evidence(
            rows=run.rows,
            suite=run.suite,
            manifest=todays(run.rows.id).hash,
            asked=request.asked,
            subject=_subject(request.subject),
            offers=request.subject.offers,
            made=Circumstances(
                run_id=run.run_id,
                started=run.started,
                tier=request.tier,
                seed=request.seed,
                challenge=request.challenge,
                toxiproxy=ended.toxiproxy,
                environment=ended.environment,
                calibration=ended.calibration,
                timing=_timing(ended.took, [one.result for one in _beside_others(played, request.tier)]),
            ),
            playings=playings,
            unplayed=ended.unplayed,
            owed=listed(run.suite, ended.unplayed, request.scenarios),
            excerpt_of=excerpts_from(traces, judging),
            reproduce=request.again.command_line,
            again=request.again.command_line(*request.only),
            never_came=not ended.came,
            interrupted=ended.interrupted,
            waivers=request.waivers.held_on(run.started),
            ended_early=ended.ended_early,
            opening=opening,
            closing=(
                *_broken(playings, run.folder),
                *(lost_traces(played, run.folder) if request.tier == "real" else ()),
            ),
        )
    )


def _subject(spec: SubjectSpec) -> SubjectInfo:
    return SubjectInfo(
        name=spec.name,
        command=tuple(spec.command or ()),
        level=spec.level,
        absent=tuple(Absent(name=name, reason=reason) for name, reason in spec.absent.items()),
        readings=dict(spec.readings),
        entity_types=spec.entity_types,
        build=spec.build,
    )


def _beside_others(played: Sequence[Played], tier: str) -> list[Played]:
    """The first playings of what is played together."""
    together = [one for one in played if not one.result.exclusive and not one.trace.header.before_all]
    return [one for one in together if one.result.tier == tier and one.result.play == 1]


def _timing(took: Took, waiting: Sequence[ScenarioResult]) -> Timing:
    longest = max((result.duration for result in waiting), default=0.0)
    told = took.exclusive + took.virtual + took.again
    return Timing(
        predicted=round(took.predicted, 1),
        longest_waiting=round(longest, 1),
        exclusive=round(took.exclusive, 1),
        rest=round(max(0.0, took.total - longest - told), 1),
        total=round(took.total, 1),
        virtual=round(took.virtual, 1),
        again=round(took.again, 1),
    )


def _notes(run: Begun) -> tuple[str, ...]:
    notes = [SIMULATED]
    if run.rows.deviations:
        notes.append("Limits were changed for this run: " + ", ".join(sorted(run.rows.deviations)) + ".")
    return (*notes, *filter(None, [score_sentence(run.suite)]))


def _broken(playings: Sequence[Playing], folder: Path) -> list[str]:
    """What to do about scenarios that broke, in their last playing."""
    last = {one.result.name: one.result for one in playings}
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
