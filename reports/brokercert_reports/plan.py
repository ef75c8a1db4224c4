"""The test plan that a broker asks for: a line a row, in the order and words of the broker's page.

The law: four words stand for our nine verdicts, and none says more than they do. *Pass* is a row that passed, or a MUST
row of which only a recommendation was not followed. *Fail* is a breach. *Not applicable* is what the client declares it
lacks. All else is *Untested*, with our own verdict and its reason.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from brokercert.requirements import RequirementError, RequirementSet
from brokercert.sources import Demand, demands_of
from brokercert.verdict import Level, RowResult, RunRecord, Verdict

from brokercert_reports.text import quantity, value_told
from brokercert_reports.view import (
    Budget,
    Case,
    budgets,
    cases,
    client_words,
    is_floor,
    records_text,
    verdict_words,
    waived,
    waiver_lines,
    waiver_words,
)

OUTSIDE = "not part of what is certified here"
DRAFT = "DRAFT: not a certificate"

HEADINGS = (
    "No",
    "Page",
    "Section",
    "Sentence",
    "The page says (first words)",
    "In our words",
    "Row",
    "Requirement",
    "Level",
    "Result",
    "Reason",
    "Observed",
    "Figure",
    "Budget",
    "Evidence: file",
    "Evidence: records",
    "Evidence: UTC",
    "Waiver",
    "Sign-off",
)


@dataclass(frozen=True)
class Planned:
    """A row as it is asked for, before anything was found."""

    id: str
    text: str
    level: str
    budget: str = ""


@dataclass(frozen=True)
class Found:
    """What a run found of a row, in the words of the sheet."""

    result: str = ""
    reason: str = ""
    observed: str = ""
    figure: str = ""
    file: str = ""
    records: str = ""
    utc: str = ""
    waiver: str = ""


@dataclass(frozen=True)
class Plan:
    """A sheet: what stands above it, its lines, and beside it every sentence of the page. All are texts.

    `made` is the moment that the file shall say it was made, for the same bytes each time.
    """

    above: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, ...], ...]
    sentences: tuple[tuple[str, ...], ...]
    made: datetime.datetime


def empty_plan(rows: RequirementSet) -> Plan:
    """The sheet before a run: what is asked, and by which numbers it is judged."""
    above = (("Test plan", rows.title), ("Requirement set", f"{rows.name}, version {rows.version}, sha256 {rows.hash}"))
    planned = [Planned(row.id, row.text, row.level, _limits(rows, row.limits)) for row in rows.rows]
    return _plan(above, planned, {}, _demands(rows.id), _moment(""))


def _limits(rows: RequirementSet, names: Sequence[str]) -> str:
    return "; ".join(f"{name}: {quantity(rows.limits[name].value, rows.limits[name].unit)}" for name in names)


def plan_of_run(run: RunRecord, *, draft: bool = False) -> Plan:
    """The sheet of a run. Where the set of the run is not installed, its rows stand in the set's order, without the
    page's words.
    """
    measured: dict[str, list[Budget]] = {}
    for one in budgets(run):
        measured.setdefault(one.row.id, []).append(one)
    rows = [Planned(row.id, row.text, row.level.value, _budget(measured.get(row.id, ()))) for row in run.rows]
    found = {row.id: _found(row, run, measured.get(row.id, ())) for row in run.rows}
    above = [
        ("Test plan", run.set_title),
        ("Client", client_words(run)),
        ("Outcome", run.sentence),
        ("Requirement set", f"{run.named}, version {run.set_version}, sha256 {run.set_hash}"),
        ("Run", f"{run.run_id}, {run.started}, {run.tier} time"),
        ("Tool", f"{run.tool}; not issued by the broker, against a simulated one"),
    ]
    if run.waivers:
        above.append(("Waivers", "; ".join(waiver_lines(run))))
    if run.challenge:
        above.append(("Challenge", run.challenge))
    if draft:
        above.insert(0, (DRAFT, DRAFT))
    return _plan(tuple(above), rows, found, _demands(run.set_id), _moment(run.started))


def _demands(set_id: str) -> tuple[Demand, ...]:
    try:
        return demands_of(set_id)
    except RequirementError:
        return ()


def _moment(text: str) -> datetime.datetime:
    """When a sheet says that it was made: as its run says it began, and of none the first day that a zip can hold."""
    try:
        return datetime.datetime.fromisoformat(text).replace(tzinfo=None, microsecond=0)
    except ValueError:
        return datetime.datetime(1980, 1, 1)


def _plan(
    above: tuple[tuple[str, str], ...],
    rows: Sequence[Planned],
    found: Mapping[str, Found],
    demands: Sequence[Demand],
    made: datetime.datetime,
) -> Plan:
    by_id = {row.id: row for row in rows}
    lines = []
    for number, (demand, ident) in enumerate(in_page_order(by_id, demands), 1):
        row, told = by_id[ident], found.get(ident, Found())
        place = (demand.page, demand.section, str(demand.number), demand.starts, demand.says) if demand else ("",) * 5
        lines.append(
            (
                *(str(number), *place, ident, row.text, row.level, told.result, told.reason, told.observed),
                *(told.figure, row.budget, told.file, told.records, told.utc, told.waiver, ""),
            )
        )
    return Plan(above, tuple(lines), tuple(_sentence(one, found) for one in demands), made)


def in_page_order(rows: Collection[str], demands: Sequence[Demand]) -> Iterator[tuple[Demand | None, str]]:
    """Every row once, at the sentence that it is best read beside; then those that no sentence asks for."""
    placed = {row for demand in demands for row in demand.homes}
    yield from ((demand, row) for demand in demands for row in demand.homes if row in rows)
    yield from ((None, row) for row in rows if row not in placed)


SENTENCE_HEADINGS = ("Page", "Section", "Sentence", "The page says (first words)", "In our words", "Judged by")


def _sentence(demand: Demand, found: Mapping[str, Found]) -> tuple[str, ...]:
    judged = ", ".join(f"{row} {found[row].result}" if row in found else row for row in demand.rows)
    because = (
        f"Not testable from outside, because {demand.because}" if demand.because else "Judged by rows of other sets"
    )
    return (demand.page, demand.section, str(demand.number), demand.starts, demand.says, judged or because)


def result_of(row: RowResult, run: RunRecord) -> str:
    """Pass, Fail, Untested or Not applicable."""
    match row.verdict:
        case Verdict.PASS:
            return "Pass"
        case Verdict.FAIL:
            return "Fail"
        case Verdict.WARNING:
            return "Pass" if row.level is Level.MUST and not run.strict else "Fail"
        case Verdict.NOT_APPLICABLE:
            return "Not applicable"
        case _:
            return "Untested"


def _reason(row: RowResult, run: RunRecord) -> str:
    outside = "" if row.in_part else f"{OUTSIDE}; "
    borne = "waived: " if row.id in waived(run) else ""
    match row.verdict:
        case Verdict.PASS:
            return outside.removesuffix("; ")
        case Verdict.FAIL:
            return f"{outside}{borne}{row.reason}"
        case Verdict.WARNING if result_of(row, run) == "Pass":
            return f"{outside}a recommendation was not followed: {row.reason}"
        case Verdict.WARNING:
            strict = "under --strict" if run.strict else "which withholds no certificate"
            return f"{outside}{borne}a recommendation was not followed, {strict}: {row.reason}"
        case Verdict.NOT_APPLICABLE | Verdict.UNTESTED:
            return f"{outside}{row.reason}"
        case _:
            return f"{outside}{verdict_words(row)}: {row.reason}"


def _found(row: RowResult, run: RunRecord, measured: Sequence[Budget]) -> Found:
    told = cases(row, run)
    case = next((one for one in told if one.excerpt is not None), told[0] if told else None)
    return Found(
        result=result_of(row, run),
        reason=_reason(row, run),
        observed=case.finding.observed if case and row.verdict is not Verdict.NOT_APPLICABLE else "",
        figure="; ".join(_figure(one) for one in measured),
        file=case.trace if case else "",
        records=records_text(case.finding.evidence).removeprefix(", ") if case and case.trace else "",
        utc=utc_of(case) if case else "",
        waiver="; ".join(waiver_words(one, run) for one in run.waivers if one.row == row.id),
    )


def utc_of(case: Case) -> str:
    """When the first record of its evidence that a reader is shown came, to the millisecond; empty where no trace of
    the scenario says when it began.
    """
    if case.scenario is None or not case.scenario.began or case.excerpt is None:
        return ""
    at = next((line.at for line in case.excerpt.lines if line.marked), None)
    told = "" if at is None else moment_at(case.scenario.began, at)
    return f"{told} (virtual time)" if told and case.scenario.tier == "virtual" else told


def moment_at(began: str, seconds: float) -> str:
    """The moment so many seconds after `began`: ISO-8601 in UTC, to the millisecond. Empty where `began` is none."""
    try:
        moment = datetime.datetime.fromisoformat(began) + datetime.timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _figure(one: Budget) -> str:
    worst = one.worst
    doubt = f" ± {quantity(worst.error, worst.unit)}" if worst.error and not one.survived else ""
    return f"{worst.name}: {value_told(worst, one.survived)}{doubt}"


def _budget(measured: Sequence[Budget]) -> str:
    limits = (
        f"{'at least' if is_floor(one.worst) else 'at most'} {quantity(one.worst.limit, one.worst.unit)}"
        for one in measured
        if one.worst.limit is not None
    )
    return "; ".join(limits)
