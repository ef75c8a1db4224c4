"""What the items of a certification say, from the run's record alone.

pass, warning      passes; a warning fails under --brokercert-strict
fail               fails; where a waiver bears it, a skip, with the waiver and the failure
not applicable     a skip, with the declared reason
everything else    an error: no judgement of the client
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from brokercert_reports.text import printable_run, quantity, source_told
from brokercert_reports.view import bearing, waiver_lines, waiver_of

from brokercert.cli.finish import status_of
from brokercert.door.wire import NO_SCENARIO, Judged, Told
from brokercert.verdict import ExcerptLine, Finding, Outcome, RowResult, RunRecord, Verdict, worst

Kind = Literal["pass", "fail", "error", "skip"]


def judged_from(run: RunRecord, listed: Mapping[str, tuple[str, ...]], reports: Mapping[str, Path]) -> Judged:
    """All that pytest is told of a run, and prints: harmless, whatever a client said. `listed`: requirement -> the
    scenarios that exercise it.
    """
    run = printable_run(run)
    return Judged(
        outcome=str(run.outcome),
        sentence=run.sentence,
        status=status_of(run),
        reports={kind: str(path) for kind, path in reports.items()},
        items={row.id: dict(_items(run, row, listed.get(row.id, (NO_SCENARIO,)))) for row in run.rows},
        certificate=_certificate(run),
    )


def _certificate(run: RunRecord) -> Told:
    kinds: dict[Outcome, Kind] = {Outcome.CERTIFIED: "pass", Outcome.FAILED: "fail"}
    properties = [
        ("certificate", run.sentence),
        ("run_id", run.run_id),
        ("set", f"{run.named} {run.set_version} {run.set_hash}"),
        *([("set_source", source_told(run.source))] if run.source else []),
        *(("waiver", text) for text in waiver_lines(run)),
    ]
    return Told(kind=kinds.get(run.outcome, "error"), message=run.sentence, properties=properties)


def _items(run: RunRecord, row: RowResult, scenarios: Sequence[str]) -> Iterator[tuple[str, Told]]:
    """One item a scenario. The first also tells what was found in scenarios that are not listed for the row, since an
    invariant is judged in all.
    """
    elsewhere = [finding for finding in row.findings if finding.scenario not in scenarios]
    for scenario in scenarios:
        findings = [finding for finding in row.findings if finding.scenario == scenario]
        yield scenario, _row(run, row, scenario, findings + elsewhere)
        elsewhere = []


def _row(run: RunRecord, row: RowResult, scenario: str, findings: list[Finding]) -> Told:
    """One requirement, by what was found of it."""
    verdict = worst((finding.verdict for finding in findings), row.level)
    kind = _kind(verdict, run.strict)
    message = ""
    waiver = waiver_of(row, run) if kind == "fail" else None
    if waiver is not None:
        first = next((finding.observed for finding in findings if finding.verdict is verdict), row.reason)
        kind, message = "skip", f"{bearing(waiver)}; {verdict}: {row.id} {row.title}: {first}"
    elif kind == "skip":
        message = f"not applicable: {findings[0].observed}"
    elif kind != "pass":
        message = explain(run, row, findings, verdict)
    return Told(kind=kind, message=message, properties=list(_properties(row, scenario, findings, verdict)))


def _kind(verdict: Verdict, strict: bool) -> Kind:
    match verdict:
        case Verdict.PASS:
            return "pass"
        case Verdict.WARNING:
            return "fail" if strict else "pass"
        case Verdict.FAIL:
            return "fail"
        case Verdict.NOT_APPLICABLE:
            return "skip"
        case _:
            return "error"


def _properties(row: RowResult, scenario: str, findings: list[Finding], verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "requirement", row.id
    yield "requirement_text", row.text
    yield "level", str(row.level)
    yield "source", row.source
    yield "scenario", scenario
    yield "verdict", str(verdict)
    for finding in findings:
        if finding.verdict is Verdict.WARNING:
            yield "warning", finding.observed
        for measured in finding.measured:
            limit = "" if measured.limit is None else f" (limit {quantity(measured.limit, measured.unit)})"
            yield f"measured: {measured.name}", f"{quantity(measured.value, measured.unit)}{limit}"


def explain(run: RunRecord, row: RowResult, findings: list[Finding], verdict: Verdict) -> str:
    """The message of a failure: its first line a sentence to act on, then what was expected and the evidence."""
    worst_first = [finding for finding in findings if finding.verdict is verdict] or findings
    first = worst_first[0].observed if worst_first else row.reason
    lines = [f"{verdict}: {row.id} {row.title}: {first}", f"  requirement  {row.text} [{row.source}]"]
    for finding in worst_first:
        lines += _finding(finding)
    playings = {(finding.scenario, finding.play) for finding in worst_first}
    for excerpt in row.excerpts:
        if (excerpt.scenario, excerpt.play) in playings:
            lines.append(f"  evidence     trace of {excerpt.scenario}:")
            lines += [_line(line) for line in excerpt.lines]
    for scenario in run.scenarios:
        shown = (scenario.name, scenario.play) in playings and verdict in (Verdict.FAIL, Verdict.HARNESS_ERROR)
        if shown and scenario.output:
            lines.append(f"  client       {scenario.exit}; its last lines:")
            lines += [f"    {line}" for line in scenario.output]
    if row.mend and verdict is Verdict.FAIL:
        lines.append(f"  to mend it   {row.mend}")
    if row.reproduce:
        lines.append(f"  reproduce    {row.reproduce}")
    return "\n".join(lines)


def _finding(finding: Finding) -> Iterator[str]:
    yield f"  observed     {finding.observed}"
    if finding.expected:
        yield f"  expected     {finding.expected}"
    if finding.blocked_by:
        yield f"  blocked by   {finding.blocked_by}"
    for m in finding.measured:
        limit = "" if m.limit is None else f", limit {quantity(m.limit, m.unit)}"
        yield f"  measured     {m.name}: {quantity(m.value, m.unit)} ± {quantity(m.error, m.unit)}{limit}"


def _line(line: ExcerptLine) -> str:
    mark = ">" if line.marked else " "
    return f"  {mark} {line.record:>5} {line.at:9.3f} s  {line.conn or '':>3} {line.who:<7} {line.text}"
