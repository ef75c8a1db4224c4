"""From traces to findings.

`judge_trace` folds one trace and runs the checks of the rows that its scenario exercises, of the rows that those
presuppose, and of all invariants. Of the latter two only a breach is told. A check that has nothing to say is silence,
and silence is no pass (`silence.py`). Live and offline call the same functions.

Where the scenario began anew, it is about what came from there on. Of what came before the checks are asked too: their
breaches stand, and what else they say counts where there is nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from brokercert.judge.judging import Judging
from brokercert.judge.silence import Silence, presupposed, would_fail
from brokercert.judge.standstill import Standstills
from brokercert.judge.transcript import Transcript
from brokercert.requirements import Requirement, RequirementSet
from brokercert.trace import Trace
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Verdict

# Of these forms is a breach that came: what an invariant is broken by in a scenario that was not about it. That
# something did not come, or not in time, convicts only where the scenario saw to it that it could.
EVIDENT = (Form.CONTENT, Form.AGAIN, Form.EARLY)


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
    if talk.about is not talk:
        findings = _together(findings, _findings(exercised, trace, talk.about, rows, judging))
    return [replace(finding, play=trace.header.play) for finding in findings]


def _with_limits(trace: Trace, rows: RequirementSet) -> Trace:
    """What a trace does not say, since it is older than the limit or lost it: what that was then, or is in the set."""
    known = {limit.name: limit.value if limit.older is None else limit.older for limit in rows.limits.values()}
    return replace(trace, header=replace(trace.header, limits={**known, **trace.header.limits}))


def _findings(
    exercised: Sequence[Requirement], trace: Trace, talk: Transcript[Any], rows: RequirementSet, judging: Judging
) -> list[Finding]:
    """What is said of the rows that the scenario exercises, of those that they presuppose, and of invariants."""
    still = Standstills(trace, talk)
    asked = {row.id: row for row in exercised}
    before = {row.id: row for row in presupposed(exercised, talk, rows) if row.id not in asked}
    always = {row.id: row for row in rows.invariants(trace.header.scenario) if row.id not in asked | before}
    said = {
        row.id: [still.excused(finding) for finding in _run(row, trace, talk, judging)]
        for row in {**before, **asked, **always}.values()
    }
    silence = Silence(trace, talk, rows, judging, still, said)
    findings = [finding for row in exercised for finding in said[row.id] or [silence.of(row)]]
    # They were not this scenario's question: only their breaches count.
    findings += [finding for row in before.values() for finding in said[row.id] if _counts(finding)]
    findings += [finding for row in always.values() for finding in said[row.id] if _breaks(row, finding)]
    return findings


def _together(before: Sequence[Finding], about: Sequence[Finding]) -> list[Finding]:
    """What is said of what the scenario is about, with the breaches that came before it. Of a row that nothing can be
    said of there, all that was said before.
    """
    said = {one.requirement for one in about if not _is_open(one)}
    open_still = {one.requirement for one in before if not _is_open(one)} - said
    stands = [one for one in before if _is_breach(one) or one.requirement in open_still]
    return [*(one for one in about if one.requirement not in open_still), *stands]


def _is_open(finding: Finding) -> bool:
    """Whether it says no more than that the row could not be asked."""
    return finding.verdict in (Verdict.NOT_OBSERVED, Verdict.BLOCKED, Verdict.UNTESTED)


def _is_breach(finding: Finding) -> bool:
    return finding.verdict in (Verdict.FAIL, Verdict.WARNING) or would_fail(finding)


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
    return finding.verdict is Verdict.FAIL or would_fail(finding)


def _breaks(row: Requirement, finding: Finding) -> bool:
    """Whether it is told of an invariant in a scenario that is not about it."""
    if finding.form not in EVIDENT or (row.everywhere and finding.clause not in row.everywhere):
        return False
    return _is_breach(finding)


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
    the row that asks for that: then the rest of the run is not played. In a second look it had come before.
    """
    if not trace.header.before_all or not is_silent(trace):
        return False
    failed = any(one.requirement == rows.first and one.verdict is Verdict.FAIL for one in findings)
    return failed and not trace.header.is_second_look


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
