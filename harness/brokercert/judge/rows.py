"""From findings to rows: each row's verdict over the scenarios that are listed for it.

The law: the worst finding decides, whichever scenario it is of; of no scenario at all, nothing is said but *untested*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from brokercert.judge.excerpt import excerpt
from brokercert.judge.judging import Judging
from brokercert.requirements import Requirement, RequirementSet
from brokercert.trace import Trace
from brokercert.verdict import BREACHES, Excerpt, Finding, Happened, Level, RowResult, Verdict, severity, worst

Excerpting = Callable[[Finding], Excerpt | None]
MOST_EXCERPTS = 3  # of a row: a reader follows three; the traces hold the rest
MOST_OF_A_PASS = 1  # so that a reader can agree; there are many rows, and each play has the same to show


def has_excerpt(finding: Finding) -> bool:
    """Whether a reader is shown the records around its evidence."""
    return bool(finding.evidence) and finding.verdict is not Verdict.NOT_APPLICABLE


def excerpts_from(traces: Mapping[tuple[str, int], Trace], judging: Judging) -> Excerpting:
    """Excerpts from traces that are at hand, by scenario and playing."""

    def excerpt_of(finding: Finding) -> Excerpt | None:
        trace = traces.get((finding.scenario, finding.play))
        return None if trace is None else excerpt(trace, finding.evidence, finding.about, judging.told_of)

    return excerpt_of


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
    `excerpt_of` gives the excerpt around a finding, where there is one; `reproduce` the command that
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


def verdict_of(
    level: Level, findings: Sequence[Finding], scenarios: Sequence[str], deselected: bool
) -> tuple[Verdict, str]:
    """A row's verdict and why, from its findings, the worst first."""
    played = {finding.scenario for finding in findings}
    missing = [name for name in scenarios if name not in played]
    verdicts = [finding.verdict for finding in findings]
    if missing and not deselected:
        verdicts.append(Verdict.UNTESTED)
    verdict = worst(verdicts, level)
    if verdict is Verdict.NOT_APPLICABLE and not scenarios:
        verdict = Verdict.UNTESTED
    if deselected and verdict not in (BREACHES[level], Verdict.HARNESS_ERROR):
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
    level = Level(row.level)
    ordered = sorted(findings, key=lambda finding: severity(finding.verdict, level))
    verdict, reason = verdict_of(level, ordered, scenarios, bool(asked) and row.id not in asked)
    return RowResult(
        id=row.id,
        area=row.area,
        title=row.title,
        level=level,
        text=row.text,
        source=row.source,
        needs=tuple(row.needs),
        in_part=in_part,
        verdict=verdict,
        reason=reason,
        scenarios=tuple(scenarios),
        findings=tuple(ordered),
        excerpts=_excerpts(ordered, verdict, excerpt_of),
        means=row.means,
        causes=tuple(row.causes),
        mend=row.mend,
        others=tuple(Happened(title=one.title, address=one.address) for one in row.others),
        reproduce=reproduce(row.id),
    )


def _excerpts(findings: Sequence[Finding], verdict: Verdict, excerpt_of: Excerpting) -> tuple[Excerpt, ...]:
    """Those of the first findings that have one. Passes are shown of a row that passed, and of no other."""
    passed = verdict is Verdict.PASS
    asked = (one for one in findings if has_excerpt(one) and (one.verdict is Verdict.PASS) is passed)
    told = (one for one in map(excerpt_of, asked) if one is not None)
    return tuple(islice(told, MOST_OF_A_PASS if passed else MOST_EXCERPTS))
