"""Judges saved traces: the network gone, the client's sources deleted, the same verdicts."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from brokercert.engine.environment import tool
from brokercert.engine.errors import UsageError
from brokercert.engine.record import limits_used
from brokercert.engine.scenario import load_dialect
from brokercert.engine.telling import BadlyTold, badly_told, buffered_in, told_badly
from brokercert.judge import has_excerpt, judge_rows, judge_trace
from brokercert.judge.excerpt import excerpt
from brokercert.parallel import Workers, in_order
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Trace, TraceError, read_header, read_trace
from brokercert.trace import records as r
from brokercert.verdict import (
    RUN_FORMAT,
    Absent,
    Excerpt,
    Finding,
    RunRecord,
    ScenarioResult,
    SubjectInfo,
    Timing,
    outcome_of,
    sentence_of,
)

LITTLE = 100_000_000  # bytes of traces: two seconds of judging, which is what two workers save once they have started


def trace_files(paths: Sequence[Path]) -> list[Path]:
    """The trace files meant: a file itself, or all of a folder (a run's folder or its `traces`)."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.jsonl")) or sorted((path / "traces").glob("*.jsonl"))
            if not inside:
                raise UsageError(f"{path}: no trace in this folder; expected *.jsonl, or a folder traces/ of them")
            files += inside
        else:
            files.append(path)
    return files


@dataclass(frozen=True, slots=True)
class Share:
    """A trace to be judged by a set whose limits `changed` replaces."""

    path: Path
    set_id: str
    changed: dict[str, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one trace supports; `wrong`: why it is none, and then there is nothing else."""

    header: r.Header | None = None
    wrong: str = ""
    result: ScenarioResult | None = None
    findings: tuple[Finding, ...] = ()
    excerpts: tuple[Excerpt | None, ...] = ()  # beside the findings
    badly: BadlyTold | None = None
    cut: bool = False


@lru_cache(maxsize=4)
def _loaded(set_id: str) -> RequirementSet:
    return load_set(set_id)


def judge_share(share: Share) -> Judged:
    """Read and judge one trace. Called in workers; what is wrong with a file is told, so that the first is named."""
    try:
        trace = read_trace(share.path)
    except TraceError as error:
        return Judged(wrong=str(error))
    if trace.header.set_id != share.set_id:
        return Judged(trace.header, f"traces of different requirement sets: {share.set_id}, {trace.header.set_id}")
    rows = _loaded(share.set_id).with_limits(share.changed)
    findings = judge_trace(trace, rows, load_dialect(share.set_id).judging)
    return Judged(
        header=trace.header,
        result=_scenario(share.path, trace),
        findings=tuple(findings),
        excerpts=tuple(excerpt(trace, one.evidence, one.about) if has_excerpt(one) else None for one in findings),
        badly=badly_told(trace),
        cut=trace.truncated or _state(trace) == "interrupted",
    )


def is_little(paths: Sequence[Path]) -> bool:
    """Whether judging them takes less than to start workers for it."""
    return sum(path.stat().st_size for path in trace_files(paths) if path.exists()) < LITTLE


def judge_traces(
    paths: Sequence[Path],
    set_id: str | None = None,
    *,
    strict: bool = False,
    part: str = "",
    make: Workers | None = None,
) -> RunRecord:
    """Judge traces of one run and set. The limits are those recorded in the traces. Raises `UsageError`.

    The same whatever does the work (`make`: `brokercert.parallel`). Ctrl-C ends it with what was judged up to then.
    """
    named = trace_files(paths)
    if not named:
        raise UsageError("no trace was given; expected files or folders of traces (out/latest)")
    header = _header(named[0])
    set_id = set_id or header.set_id
    rows = load_set(set_id)
    changed = {k: v for k, v in header.limits.items() if k in rows.limits and rows.limits[k].value != v}
    rows = rows.with_limits(changed)
    done = in_order(judge_share, [Share(path.absolute(), set_id, changed) for path in named], make)
    judged: list[Judged] = []
    scenarios: dict[str, ScenarioResult] = {}
    listed: dict[str, list[str]] = {}
    for path, found in zip(named, done.results, strict=True):
        one = found or Judged(_header(path))  # not judged any more
        if one.wrong or one.header is None:
            raise UsageError(one.wrong)
        name = one.header.scenario
        if name in scenarios:
            raise UsageError(f"{path}: a second trace of scenario {name!r}; judge the traces of one run at a time")
        scenarios[name] = one.result or _not_judged(one.header)
        judged.append(one)
        for row in one.header.exercises:
            listed.setdefault(row, []).append(name)
    findings = [finding for one in judged for finding in one.findings]
    around = {
        (finding.scenario, finding.evidence, finding.about): told
        for one in judged
        for finding, told in zip(one.findings, one.excerpts, strict=True)
        if told is not None
    }
    part_ids = rows.part(part) if part else tuple(row.id for row in rows.rows)
    files = " ".join(str(path) for path in paths)
    results = judge_rows(
        rows,
        findings,
        listed=listed,
        in_part=part_ids,
        excerpt_of=lambda finding: around.get((finding.scenario, finding.evidence, finding.about)),
        reproduce=lambda row: f"brokercert judge {files}",
    )
    outcome = outcome_of(results, strict=strict, interrupted=done.interrupted)
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
        part=part,
        strict=strict,
        selected=(),
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
        scenarios=tuple(scenarios.values()),
        rows=tuple(results),
        outcome=outcome,
        sentence=sentence_of(outcome, results, set_id=rows.id, part=part),
        reproduce=f"brokercert judge {files}",
        notes=_notes(rows, header, any(one.cut for one in judged)),
        telling=(*buffered_in(findings), *told_badly([one.badly for one in judged if one.badly])),
    )


def _notes(rows: RequirementSet, header: r.Header, cut: bool) -> tuple[str, ...]:
    notes = ["Judged offline, from saved traces."]
    if header.set_hash != rows.hash:
        notes.append("The requirement set has changed since the traces were recorded: its hash differs.")
    if cut:
        notes.append("Some traces end early: their run was interrupted or killed.")
    return tuple(notes)


def _state(trace: Trace) -> str:
    last = trace.records[-1] if trace.records else None
    return last.state if isinstance(last, r.Finished) else "interrupted"


def _header(path: Path) -> r.Header:
    try:
        return read_header(path)
    except TraceError as error:
        raise UsageError(str(error)) from error


def _not_judged(header: r.Header) -> ScenarioResult:
    return ScenarioResult(
        name=header.scenario,
        title="",
        path=header.path,
        exclusive=header.exclusive,
        state="not run",
        note="it was not judged any more: judging was interrupted",
    )


def _scenario(path: Path, trace: Trace) -> ScenarioResult:
    return ScenarioResult(
        name=trace.header.scenario,
        title="",
        path=trace.header.path,
        exclusive=trace.header.exclusive,
        state=_state(trace),
        trace=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        duration=round(trace.records[-1].t / 1e6, 3) if trace.records else 0.0,
    )
