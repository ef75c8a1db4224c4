"""From traces to findings, and from findings to rows.

`judge_trace` folds one trace and runs the checks of the rows that its scenario exercises, and of the rows that those
presuppose. A check that has nothing to say is silence, and silence is no pass: the row is then *blocked* by the row
that demands its antecedent, or *not observed* where none does and the client did connect. Live and offline call the
same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace

from brokercert.judge.check import went_to_background
from brokercert.judge.excerpt import excerpt
from brokercert.judge.judging import Judging
from brokercert.judge.standstill import Standstills
from brokercert.judge.transcript import Transcript
from brokercert.requirements import Requirement, RequirementSet
from brokercert.trace import Trace
from brokercert.trace import records as r
from brokercert.verdict import PASSES, SEVERITY, Excerpt, Finding, Level, RowResult, Verdict, worst

Excerpting = Callable[[Finding], Excerpt | None]
MOST_EXCERPTS = 3  # of a row: a reader follows three; the traces hold the rest


def has_excerpt(finding: Finding) -> bool:
    """Whether a reader is shown the records around its evidence."""
    return bool(finding.evidence) and finding.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)


def excerpts_from(traces: Mapping[tuple[str, int], Trace], judging: Judging) -> Excerpting:
    """Excerpts from traces that are at hand, by scenario and playing."""

    def excerpt_of(finding: Finding) -> Excerpt | None:
        trace = traces.get((finding.scenario, finding.play))
        return None if trace is None else excerpt(trace, finding.evidence, finding.about, judging.told_of)

    return excerpt_of


def judge_trace(
    trace: Trace, rows: RequirementSet, judging: Judging, *, talk: Transcript[Any] | None = None
) -> list[Finding]:
    """Every finding that one scenario's trace supports; `judging` is the dialect's.

    `talk` may be given where the caller has folded the trace already.
    """
    talk = talk or judging.folded(trace)
    trace = _with_limits(trace, rows)
    exercised = [rows.by_id[row] for row in trace.header.exercises if row in rows.by_id]
    broken = talk.ended_as("harness error")
    if broken is not None:
        return [_broke(row, trace, broken) for row in exercised]
    findings = _findings(exercised, trace, talk, rows, judging)
    return [replace(finding, play=trace.header.play) for finding in findings]


def _with_limits(trace: Trace, rows: RequirementSet) -> Trace:
    """What a trace does not say, since it is older than the limit or lost it: what that was then, or is in the set."""
    known = {limit.name: limit.value if limit.older is None else limit.older for limit in rows.limits.values()}
    return replace(trace, header=replace(trace.header, limits={**known, **trace.header.limits}))


def _findings(
    exercised: Sequence[Requirement], trace: Trace, talk: Transcript[Any], rows: RequirementSet, judging: Judging
) -> list[Finding]:
    """What is said of the rows that the scenario exercises, and of those that they presuppose."""
    still = Standstills(trace, talk)
    presupposed = _presupposed(exercised, rows)
    asked = {row.id: row for row in exercised}
    said = {
        row.id: [still.excused(finding) for finding in _run(row, trace, talk, judging)]
        for row in {**{row.id: row for row in presupposed}, **asked}.values()
    }
    findings: list[Finding] = []
    for row in exercised:
        findings += said[row.id] or [_unasked(_silence(row, trace, talk, said, rows, judging), still, said, rows)]
    for row in presupposed:
        if row.id not in asked:  # it was not this scenario's question: only its failure counts
            findings += filter(_counts, said[row.id])
    return findings


def _broke(row: Requirement, trace: Trace, finished: r.Finished) -> Finding:
    """What is said of each row of a scenario in which the harness broke."""
    return Finding(
        requirement=row.id,
        scenario=trace.header.scenario,
        verdict=Verdict.HARNESS_ERROR,
        observed=finished.note or "the scenario broke",
        play=trace.header.play,
    )


def _counts(finding: Finding) -> bool:
    """Whether it is told of a row that was only presupposed."""
    return finding.verdict is Verdict.FAIL or _would_fail(finding)


def _would_fail(finding: Finding) -> bool:
    """A breach that a standstill excused."""
    return finding.stalled is not None and finding.form not in (None, *PASSES)


def _unasked(
    silence: Finding, still: Standstills, said: Mapping[str, Sequence[Finding]], rows: RequirementSet
) -> Finding:
    """What is said of a row whose antecedent never came, where a standstill of ours may be why."""
    span = still.noticed
    if span is None or silence.verdict is Verdict.UNTESTED:
        return silence
    failed = any(f.verdict is Verdict.FAIL for f in said.get(silence.blocked_by, ()))
    excused = _excused_link(silence, said, rows)
    if excused and not failed:
        why = f"could not be asked: {excused} is inconclusive, since {span.told}"
        silence = replace(silence, verdict=Verdict.INCONCLUSIVE, observed=why, blocked_by="")
    return replace(silence, stalled=span.seconds)


def _excused_link(silence: Finding, said: Mapping[str, Sequence[Finding]], rows: RequirementSet) -> str:
    """The first link of the silent row's chain that would fail but for a standstill, or nothing."""
    links = _links(rows.by_id[silence.requirement], rows)
    return next((link for link in links if any(map(_would_fail, said.get(link, ())))), "")


def lacking(row: Requirement, scenario: str, offers: Collection[str], absent: Mapping[str, str]) -> Finding | None:
    """What is said of a row that needs what the client does not offer; None: it offers all of it."""
    lacks = [need for need in row.needs if need not in offers]
    if not lacks:
        return None
    declared = [need for need in lacks if need in absent]
    if declared:
        return _said(row, scenario, Verdict.NOT_APPLICABLE, f"{declared[0]}: {absent[declared[0]]}")
    text = f"the client under test, as it is connected here, does not offer: {', '.join(lacks)}"
    return _said(row, scenario, Verdict.NOT_OBSERVED, text)


def is_silent(trace: Trace) -> bool:
    """Whether the client never sent an upgrade request in it."""
    return not any(isinstance(x, r.Head) and x.upgrade for x in trace.records)


def never_came(trace: Trace, findings: Iterable[Finding], rows: RequirementSet) -> bool:
    """Whether it is the trace of a preflight in which the client never sent an upgrade request, and by `findings` fails
    the row that asks for that: then the rest of the run is not played.
    """
    if not trace.header.before_all or not is_silent(trace):
        return False
    return any(one.requirement == rows.first and one.verdict is Verdict.FAIL for one in findings)


def not_reached(
    rows: RequirementSet, exercises: Mapping[str, Iterable[str]], offers: Collection[str], absent: Mapping[str, str]
) -> list[Finding]:
    """What is said of the rows of scenarios (name -> rows) that were not played, since the client never came. Nothing
    more of the row that it fails by that.
    """
    text = f"could not be asked: no upgrade request came from the client ({rows.first})"
    return [
        lacking(rows.by_id[row], name, offers, absent)
        or _said(rows.by_id[row], name, Verdict.BLOCKED, text, rows.first)
        for name, asked in exercises.items()
        for row in asked
        if row != rows.first
    ]


def _run(row: Requirement, trace: Trace, talk: Transcript[Any], judging: Judging) -> list[Finding]:
    header = trace.header
    lacks = lacking(row, header.scenario, header.offers, header.absent)
    if lacks is not None:
        return [lacks]
    check = judging.checks.get(row.id)
    if check is None:
        return []
    return list(check.run(judging.bench(row.id, row.level, header, talk)))


def _said(row: Requirement, scenario: str, verdict: Verdict, text: str, blocked_by: str = "") -> Finding:
    return Finding(requirement=row.id, scenario=scenario, verdict=verdict, observed=text, blocked_by=blocked_by)


def _presupposed(exercised: Iterable[Requirement], rows: RequirementSet) -> list[Requirement]:
    """The rows that demand what the exercised rows need to have happened, first links of the chain first."""
    ids: dict[str, None] = {}
    for row in exercised:
        for demanded in _links(row, rows):
            ids.setdefault(demanded)
    if rows.stability:
        ids.setdefault(rows.stability)
    return [rows.by_id[row] for row in ids]


def _links(row: Requirement, rows: RequirementSet) -> tuple[str, ...]:
    """The row's chain of demands. Of a row that no other leads to: that the client connects, as all else asks for."""
    chain = rows.demand_chain(row.id)
    return chain or ((rows.first,) if rows.first not in ("", row.id) else ())


def _silence(
    row: Requirement,
    trace: Trace,
    talk: Transcript[Any],
    said: Mapping[str, list[Finding]],
    rows: RequirementSet,
    judging: Judging,
) -> Finding:
    """What is said of a row whose antecedent never came."""
    scenario = trace.header.scenario
    failed = _failed_before(row, said, rows)
    if failed:
        return _said(row, scenario, Verdict.BLOCKED, f"could not be asked: {failed} failed", failed)
    if row.id not in judging.checks:
        return _said(row, scenario, Verdict.UNTESTED, "no check judges it yet")
    early = _ended_early(trace, talk)
    if early:
        return _said(row, scenario, Verdict.NOT_OBSERVED, early)
    if row.demanded_by:
        return _said(row, scenario, Verdict.BLOCKED, f"its antecedent ({row.antecedent}) never came", row.demanded_by)
    never = "what it is about" if row.antecedent == "none" else f"its antecedent ({row.antecedent})"
    return _said(row, scenario, Verdict.NOT_OBSERVED, f"{never} never came")


def _failed_before(row: Requirement, said: Mapping[str, Sequence[Finding]], rows: RequirementSet) -> str:
    """The row whose failure is why this one could not be asked, or nothing."""
    stability = [rows.stability] if rows.stability not in ("", row.id) else []
    told = [finding for link in (*_links(row, rows), *stability) for finding in said.get(link, ())]
    failed = next((one.requirement for one in told if one.verdict is Verdict.FAIL), "")
    return failed or next((one.blocked_by for one in told if one.verdict is Verdict.BLOCKED), "")


def _ended_early(trace: Trace, talk: Transcript[Any]) -> str:
    """Why the scenario ended before the row could be asked, or nothing."""
    if trace.truncated or talk.ended_as("interrupted") is not None:
        return "the run ended before it could be asked"
    return f"it could not be asked; {went_to_background(talk)}" if talk.background is not None else ""


def judge_rows(
    rows: RequirementSet,
    findings: Sequence[Finding],
    *,
    listed: Mapping[str, Sequence[str]],
    in_part: Iterable[str],
    selected: Iterable[str] = (),
    excerpt_of: Excerpting = lambda finding: None,
    reproduce: Callable[[str], str] = "brokercert certify --only {}".format,
) -> list[RowResult]:
    """Each row's verdict over the scenarios listed for it: the worst finding; no scenario: untested.

    `listed` maps a row to the scenarios that exercise it, `selected` restricts what was asked for (empty: all).
    `excerpt_of` gives the excerpt around a finding that is no pass, where there is one; `reproduce` the command that
    asks for a row again.
    """
    part = set(in_part)
    asked = set(selected)
    by_row: dict[str, list[Finding]] = {}
    for finding in findings:
        by_row.setdefault(finding.requirement, []).append(finding)
    return [
        _row_result(row, by_row.get(row.id, []), listed.get(row.id, ()), row.id in part, asked, excerpt_of, reproduce)
        for row in rows.rows
    ]


def _verdict(findings: Sequence[Finding], scenarios: Sequence[str], deselected: bool) -> tuple[Verdict, str]:
    """A row's verdict and why, from its findings, the worst first."""
    played = {finding.scenario for finding in findings}
    missing = [name for name in scenarios if name not in played]
    verdicts = [finding.verdict for finding in findings]
    if missing and not deselected:
        verdicts.append(Verdict.UNTESTED)
    verdict = worst(verdicts)
    if verdict is Verdict.NOT_APPLICABLE and not scenarios:
        verdict = Verdict.UNTESTED
    if deselected and verdict not in (Verdict.FAIL, Verdict.HARNESS_ERROR):
        return Verdict.UNTESTED, "deselected"
    return verdict, _reason(verdict, findings, scenarios, missing)


def _reason(verdict: Verdict, findings: Sequence[Finding], scenarios: Sequence[str], missing: Sequence[str]) -> str:
    if not scenarios and not findings:
        return "no scenario of this suite exercises it yet"
    if verdict is Verdict.UNTESTED and missing:
        return f"not played: {', '.join(missing)}"
    return findings[0].observed


def _row_result(
    row: Requirement,
    findings: list[Finding],
    scenarios: Sequence[str],
    in_part: bool,
    asked: set[str],
    excerpt_of: Excerpting,
    reproduce: Callable[[str], str],
) -> RowResult:
    ordered = sorted(findings, key=lambda finding: SEVERITY[finding.verdict])
    verdict, reason = _verdict(ordered, scenarios, bool(asked) and row.id not in asked)
    return RowResult(
        id=row.id,
        area=row.area,
        title=row.title,
        level=Level(row.level),
        text=row.text,
        source=row.source,
        needs=tuple(row.needs),
        in_part=in_part,
        verdict=verdict,
        reason=reason,
        scenarios=tuple(scenarios),
        findings=tuple(ordered),
        excerpts=_excerpts(ordered, excerpt_of),
        means=row.means,
        causes=tuple(row.causes),
        mend=row.mend,
        reproduce=reproduce(row.id),
    )


def _excerpts(findings: Sequence[Finding], excerpt_of: Excerpting) -> tuple[Excerpt, ...]:
    """Those of the first findings that have one."""
    told = (excerpt_of(finding) for finding in findings if has_excerpt(finding))
    return tuple(islice((one for one in told if one is not None), MOST_EXCERPTS))
