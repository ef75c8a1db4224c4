"""Judges saved traces: the network gone, the client's sources deleted, the same verdicts.

The law: what a row is owed is listed from the suite, never from the traces that happen to be there, so that a trace
that was taken away leaves its rows *untested*. What the run was asked for, and what its client lacks, stands in the
traces' headers (and in `run.json`), so that rows and outcome are those of the run.
"""

from __future__ import annotations

import datetime
import hashlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from msgspec import structs

from brokercert.engine.ask.given import is_file
from brokercert.engine.client.ended import how_it_ended
from brokercert.engine.client.environment import tool
from brokercert.engine.client.lastwords import last_lines
from brokercert.engine.client.telling import BadlyTold, badly_told, buffered_in, told_badly
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import Scenario, Suite, load_dialect, load_suite
from brokercert.engine.run.judgements import findings_of, stall_notes, together
from brokercert.engine.run.plan import NEVER_CAME, Plan, blocked, left_out, listed, not_offered, plan_of, unplayed
from brokercert.engine.run.preflight import start_of
from brokercert.engine.run.record import limits_used
from brokercert.engine.run.saved import Saved, asking_of, refuse_altered, saved_traces, set_of, trace_files, wanted_of
from brokercert.judge import has_excerpt, judge_rows, never_came
from brokercert.judge.excerpt import excerpt
from brokercert.parallel import Workers, in_order
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Trace, TraceError, read_trace
from brokercert.trace import records as r
from brokercert.verdict import (
    RUN_FORMAT,
    Absent,
    Excerpt,
    Finding,
    Outcome,
    RowResult,
    RunRecord,
    ScenarioResult,
    Start,
    SubjectInfo,
    Timing,
    outcome_of,
    sentence_of,
)

LITTLE = 100_000_000  # bytes of traces: two seconds of judging, which is what two workers save once they have started
NO_TRACE = "no trace of it was given"
NOT_JUDGED = "it was not judged any more: judging was interrupted"
MOST_NAMED = 8  # names in a note; run.json has all of them


@dataclass(frozen=True, slots=True)
class Share:
    """A trace to be judged by a set whose limits `changed` replaces."""

    path: Path
    set_id: str
    changed: dict[str, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one trace supports; `wrong`: why it is none, and then there is nothing else."""

    wrong: str = ""
    result: ScenarioResult | None = None
    findings: tuple[Finding, ...] = ()
    excerpts: tuple[Excerpt | None, ...] = ()  # beside the findings
    badly: BadlyTold | None = None
    cut: bool = False
    stalls: tuple[r.Stall, ...] = ()
    never_came: bool = False  # it is the preflight, and with it the run was over
    start: Start | None = None  # what it says of the client's first start


@lru_cache(maxsize=4)
def _loaded(set_id: str) -> RequirementSet:
    return load_set(set_id)


def judge_share(share: Share) -> Judged:
    """Read and judge one trace. Called in workers; what is wrong with a file is told, so that the first is named."""
    try:
        trace = read_trace(share.path)
    except TraceError as error:
        return Judged(wrong=str(error))
    rows = _loaded(share.set_id).with_limits(share.changed)
    judging = load_dialect(share.set_id).judging
    findings = findings_of(trace, rows, judging)
    return Judged(
        result=_played(share.path, trace),
        findings=tuple(findings),
        excerpts=tuple(
            excerpt(trace, one.evidence, one.about, judging.told_of) if has_excerpt(one) else None for one in findings
        ),
        badly=badly_told(trace, judging),
        cut=trace.truncated or _state(trace) == "interrupted",
        stalls=tuple(x for x in trace.records if isinstance(x, r.Stall)),
        never_came=never_came(trace, findings, rows),
        start=start_of(trace) if trace.header.before_all else None,
    )


def is_little(paths: Sequence[Path]) -> bool:
    """Whether judging them takes less than to start workers for it."""
    return sum(path.stat().st_size for path in trace_files(paths) if is_file(path)) < LITTLE


def judge_traces(
    paths: Sequence[Path],
    set_id: str | None = None,
    *,
    part: str | None = None,
    only: Sequence[str] | None = None,
    strict: bool | None = None,
    make: Workers | None = None,
) -> RunRecord:
    """Judge traces of one run. The limits are those recorded in the traces; part, rows and strictness those of the run
    where they are None. Raises `UsageError`.

    The same whatever does the work (`make`: `brokercert.parallel`). Ctrl-C ends it with what was judged up to then.
    """
    saved = saved_traces(paths)
    header = saved.header
    rows = set_of(saved, set_id)
    changed = {k: v for k, v in header.limits.items() if k in rows.limits and rows.limits[k].value != v}
    rows = rows.with_limits(changed)
    suite = load_suite(rows.id)
    wanted = wanted_of(saved, rows)
    asking = asking_of(saved, rows, part, only, strict)

    done = in_order(judge_share, [Share(path.absolute(), rows.id, changed) for path in saved.files], make)
    judged = [one or Judged() for one in done.results]  # an empty one: it was not judged any more
    wrong = next((one.wrong for one in judged if one.wrong), "")
    if wrong:
        raise UsageError(wrong)
    if saved.record is not None:
        pairs = zip(saved.files, judged, strict=True)
        refuse_altered(saved, ((path, one.result) for path, one in pairs if one.result is not None))

    given = {one.scenario for one in saved.headers}
    plan = plan_of(wanted, rows, suite)
    owed = plan_of(replace(wanted, part=asking.part, only=asking.only), rows, suite)
    over = any(one.never_came for one in judged)
    rest = unplayed(plan, given, NEVER_CAME) if over else _rest(saved, plan, given)
    missing = () if over else _missing(suite, owed, given, rest) + _playings_missing(saved)

    # The order of a run's record.
    places = sorted(range(len(judged)), key=lambda place: (saved.headers[place].scenario, saved.headers[place].play))
    of_each = [(saved.headers[place].scenario, saved.headers[place].play, judged[place]) for place in places]
    findings = together((name, play, one.findings) for name, play, one in of_each)
    findings += not_offered(rows, suite, rest, header.offers, header.absent)
    if over:
        findings += blocked(rows, suite, rest, header.offers, header.absent)
    around = {
        (finding.scenario, finding.play, finding.evidence, finding.about): told
        for one in judged
        for finding, told in zip(one.findings, one.excerpts, strict=True)
        if told is not None
    }
    again = shlex.join(("brokercert", "judge", *asking.words, *map(str, paths)))
    results = judge_rows(
        rows,
        findings,
        listed=_owing(saved, suite, rest, missing),
        in_part=rows.part(asking.part) if asking.part else tuple(row.id for row in rows.rows),
        selected=asking.only,
        excerpt_of=lambda finding: around.get((finding.scenario, finding.play, finding.evidence, finding.about)),
        reproduce=lambda row: again,
    )
    cut = [path for path, one in zip(saved.files, judged, strict=True) if one.cut]
    interrupted = done.interrupted or bool(cut) or _was_interrupted(saved)
    outcome = outcome_of(results, strict=asking.strict, interrupted=interrupted, missing=missing)
    names = {scenario.name: scenario for scenario in suite.scenarios}
    scenarios = [
        _placed(judged[place].result or _not_judged(saved.headers[place]), names.get(saved.headers[place].scenario))
        for place in places
    ]
    cells = any(one.fault for one in (*scenarios, *rest))
    same = asking.words == () and not interrupted
    return RunRecord(
        format=RUN_FORMAT,
        run_id=header.run.get("run_id", "judged"),
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        tool=tool(),
        tier=header.tier,
        set_id=rows.id,
        set_title=rows.title,
        set_version=rows.version,
        set_hash=rows.hash,
        part=asking.part,
        strict=asking.strict,
        selected=asking.only,
        seed=header.seed,
        subject=SubjectInfo(
            name=header.subject,
            command=(),
            level=header.level,
            absent=tuple(Absent(name=name, reason=reason) for name, reason in header.absent.items()),
            readings=header.readings,
            entity_types=header.entity_types,
        ),
        toxiproxy="see the traces",
        limits=limits_used(rows),
        calibration=None,
        timing=Timing(predicted=0, longest_waiting=0, exclusive=0, rest=0, total=0),
        environment={"judged": "offline, from saved traces", "recorded by": header.tool},
        scenarios=(*scenarios, *rest, *(left_out(suite) if cells else ())),
        rows=tuple(results),
        outcome=outcome,
        sentence=sentence_of(
            outcome, results, subject=header.subject, set_id=rows.id, part=asking.part, missing=missing
        ),
        reproduce=again,
        notes=(
            *_notes(saved, rows, cut, missing, done.interrupted, results if same else ()),
            *stall_notes((name, play, one.stalls) for name, play, one in of_each),
        ),
        telling=(
            *buffered_in(findings),
            *told_badly([one.badly for one in (judged[place] for place in places) if one.badly]),
        ),
        start=max((one.start for one in judged if one.start), key=lambda start: start.tries, default=None),
        faults=suite.faults if cells else (),
        phases=suite.phases if cells else (),
    )


def _rest(saved: Saved, plan: Plan, given: set[str]) -> tuple[ScenarioResult, ...]:
    """The scenarios of the run of which there is no trace, and why."""
    # Where cells were played in virtual time beside a run in real time, all that its seed did not choose were.
    beside = (
        {one.name for one in plan.left if one.cell}
        if {one.tier for one in saved.headers} == {"real", "virtual"}
        else set()
    )
    known = {name: one for (name, _), one in saved.known.items()}
    was = {**known, **{one.name: one for one in unplayed(plan, given, NO_TRACE) if one.name in beside}}
    gone = {name: one for name, one in was.items() if name not in given}
    planned = {scenario.name for scenario in plan.played}
    rest = [one for one in unplayed(plan, given, NO_TRACE) if one.name in planned or one.name not in gone]
    # Played beside the plan: those cells, and what this suite does not have any more.
    extra = [one for name, one in gone.items() if name not in planned]
    return (*rest, *(structs.replace(one, state="not run", note=NO_TRACE, trace="", sha256="") for one in extra))


def _missing(suite: Suite, owed: Plan, given: set[str], rest: Sequence[ScenarioResult]) -> tuple[str, ...]:
    """The scenarios that what is judged calls for, and of which there is no trace."""
    names = dict.fromkeys(scenario.name for scenario in owed.played if scenario.name not in given)
    left = {scenario.name for scenario in owed.left}
    exist = {scenario.name for scenario in suite.scenarios}
    gone = (one.name for one in rest if one.state == "not run")
    return tuple(names | dict.fromkeys(name for name in gone if name in left or name not in exist))


def _playings_missing(saved: Saved) -> tuple[str, ...]:
    """Playings of which there is no trace, though others of the scenario are there: one of them may have failed."""
    given = {(header.scenario, header.play) for header in saved.headers}
    names = {name for name, _ in given}
    called = {(name, play) for name, last in given for play in range(1, last)}
    called |= {key for key in saved.known if key[0] in names}
    return tuple(f"{name} (playing {play})" for name, play in sorted(called - given))


def _owing(saved: Saved, suite: Suite, rest: Sequence[ScenarioResult], missing: Sequence[str]) -> dict[str, list[str]]:
    """Requirement -> the scenarios that it is owed: by this suite, by the traces given, and by the run's record."""
    owing = {row: list(names) for row, names in listed(suite, rest).items()}
    more = [(row, one.scenario) for one in saved.headers for row in one.exercises]
    if saved.record is not None:
        more += [(row.id, name) for row in saved.record.rows for name in row.scenarios if name in missing]
    for row, name in more:  # a scenario that this suite has not, or no more for that row
        if name not in owing.setdefault(row, []):
            owing[row].append(name)
    return owing


def _was_interrupted(saved: Saved) -> bool:
    return saved.record is not None and saved.record.outcome is Outcome.INTERRUPTED


def _notes(
    saved: Saved,
    rows: RequirementSet,
    cut: Sequence[Path],
    missing: Sequence[str],
    some: bool,
    results: Sequence[RowResult],
) -> Iterator[str]:
    """`results` are compared with the run's own; empty: something else was asked, or there is nothing to compare.
    `some`: not every trace was judged, nor compared with the record.
    """
    header, record = saved.header, saved.record
    yield "Judged offline, from saved traces."
    if record is None:
        yield "No run.json of the run beside these traces: they are judged as they are, and nothing vouches for them."
    else:
        which = "The traces that were judged" if some else "The traces"
        yield f"{which} are those that {saved.place} names, byte for byte (SHA-256)."
    if header.set_hash != rows.hash:
        yield (
            f"The requirement set {rows.id} has changed since the traces were recorded (hash {header.set_hash[:12]} "
            f"then, {rows.hash[:12]} now): they are judged by the set as it is now."
        )
    if cut:
        yield f"Their run was interrupted or killed, these traces end early: {_some([path.name for path in cut])}."
    if missing:
        yield f"No trace was given of {_some(missing)}: the rows that each is listed for are untested."
    if record is None:
        return
    new = [name for name in missing if name not in {one.name for one in record.scenarios}]
    if new:
        yield f"The run did not know these scenarios, which the suite has by now: {_some(new)}."
    then = {row.id: row.verdict for row in record.rows}
    changed = [row for row in results if row.id in then and then[row.id] is not row.verdict]
    other = [f"{row.id} ({then[row.id]} then, {row.verdict} now)" for row in changed]
    if other:
        yield f"Judged otherwise than in {saved.place}: {_some(other)}."


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _state(trace: Trace) -> str:
    last = trace.records[-1] if trace.records else None
    return last.state if isinstance(last, r.Finished) else "interrupted"


def _not_judged(header: r.Header) -> ScenarioResult:
    return ScenarioResult(
        name=header.scenario,
        title="",
        path=header.path,
        exclusive=header.exclusive,
        state="not run",
        note=NOT_JUDGED,
        play=header.play,
    )


def _played(path: Path, trace: Trace) -> ScenarioResult:
    return ScenarioResult(
        name=trace.header.scenario,
        title="",
        path=trace.header.path,
        exclusive=trace.header.exclusive,
        state=_state(trace),
        trace=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        duration=round(trace.records[-1].t / 1e6, 3) if trace.records else 0.0,
        exit=how_it_ended(trace.records),
        output=last_lines(trace),
        tier=trace.header.tier,
        play=trace.header.play,
    )


def _placed(result: ScenarioResult, scenario: Scenario | None) -> ScenarioResult:
    """With what the suite says of it."""
    if scenario is None:
        return result
    cell = scenario.cell
    return structs.replace(
        result, title=scenario.title, fault=cell.fault if cell else "", phase=cell.phase if cell else ""
    )
