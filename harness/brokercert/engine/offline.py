"""Judges saved traces: the network gone, the client's sources deleted, the same verdicts."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path

from brokercert.engine.environment import tool
from brokercert.engine.errors import UsageError
from brokercert.engine.record import limits_used, told_badly
from brokercert.engine.scenario import load_dialect
from brokercert.judge import judge_rows, judge_trace
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Trace, TraceError, read_trace
from brokercert.trace import records as r
from brokercert.verdict import (
    RUN_FORMAT,
    Absent,
    Finding,
    RunRecord,
    ScenarioResult,
    SubjectInfo,
    Timing,
    outcome_of,
    sentence_of,
)


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


def judge_traces(
    paths: Sequence[Path], set_id: str | None = None, *, strict: bool = False, part: str = ""
) -> RunRecord:
    """Judge traces of one run and set. The limits are those recorded in the traces. Raises `UsageError`."""
    traces: list[tuple[Path, Trace]] = []
    for path in trace_files(paths):
        try:
            traces.append((path, read_trace(path)))
        except TraceError as error:
            raise UsageError(str(error)) from error
    if not traces:
        raise UsageError("no trace was given; expected files or folders of traces (out/latest)")
    header = traces[0][1].header
    set_id = set_id or header.set_id
    others = {trace.header.set_id for _, trace in traces} - {set_id}
    if others:
        raise UsageError(f"traces of different requirement sets: {set_id}, {', '.join(sorted(others))}")
    rows = load_set(set_id)
    rows = rows.with_limits({k: v for k, v in header.limits.items() if k in rows.limits and rows.limits[k].value != v})
    judging = load_dialect(set_id).judging
    findings: list[Finding] = []
    by_scenario: dict[str, Trace] = {}
    listed: dict[str, list[str]] = {}
    for path, trace in traces:
        name = trace.header.scenario
        if name in by_scenario:
            raise UsageError(f"{path}: a second trace of scenario {name!r}; judge the traces of one run at a time")
        by_scenario[name] = trace
        findings += judge_trace(trace, rows, judging)
        for row in trace.header.exercises:
            listed.setdefault(row, []).append(name)
    part_ids = rows.part(part) if part else tuple(row.id for row in rows.rows)
    files = " ".join(str(path) for path in paths)
    results = judge_rows(
        rows,
        findings,
        listed=listed,
        in_part=part_ids,
        traces=by_scenario,
        reproduce=f"brokercert judge {files}",
    )
    cut = any(t.truncated or _state(t) == "interrupted" for t in by_scenario.values())
    outcome = outcome_of(results, strict=strict, interrupted=False)
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
        ),
        toxiproxy="see the traces",
        limits=limits_used(rows),
        calibration=None,
        timing=Timing(predicted=0, longest_waiting=0, exclusive=0, rest=0, total=0),
        environment={"judged": "offline, from saved traces", "recorded by": header.tool},
        scenarios=tuple(_scenario(path, trace) for path, trace in traces),
        rows=tuple(results),
        outcome=outcome,
        sentence=sentence_of(outcome, results, set_id=rows.id, part=part),
        reproduce=f"brokercert judge {files}",
        notes=(*_notes(rows, header, cut), *told_badly(list(by_scenario.values()))),
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
