"""The run on a terminal: whom it is of, what is wrong with the client's reports, the failures, the sentence last.

The law: it reads the same without colour and aloud. Every verdict is a word, nothing is told by a symbol or a place
alone, and no line needs more than the width of the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from brokercert.verdict import Level, Outcome, RowResult, RunRecord, Verdict, shows_fail
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from brokercert_reports.seal import seal_of
from brokercert_reports.text import listing, measured_sentence, others_sentence, printable_run, several, source_told
from brokercert_reports.view import (
    MOST_CASES,
    MOST_WORDS,
    Case,
    areas,
    blocked_by,
    cases,
    evidence_place,
    fails_run,
    judged,
    last_words,
    problems,
    shares,
    unasked,
    verdict_words,
    wall_time,
)

LABEL = 10  # columns of "Observed", "Evidence" and their like, with a space

STYLES: dict[Verdict, str] = {
    Verdict.HARNESS_ERROR: "magenta",
    Verdict.FAIL: "bold red",
    Verdict.BLOCKED: "yellow",
    Verdict.UNTESTED: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_OBSERVED: "yellow",
    Verdict.WARNING: "yellow",
    Verdict.PASS: "green",
    Verdict.NOT_APPLICABLE: "dim",
}
OUTCOME_STYLES: dict[Outcome, str] = {
    Outcome.CERTIFIED: "bold green",
    Outcome.FAILED: "bold red",
    Outcome.INCOMPLETE: "bold yellow",
    Outcome.HARNESS_ERROR: "bold magenta",
    Outcome.INTERRUPTED: "bold yellow",
}


def render_console(run: RunRecord, console: Console, *, reports: Mapping[str, Path] | None = None) -> None:
    """Print the run. `reports` are the files of `write.write_reports`, to be named at the end."""
    run = printable_run(run)
    blocks = blocked_by(run)
    part = f", part {run.part}" if run.part else ""
    _line(console, f"Client: {run.subject.name}; {run.named}{part}", "bold")
    if run.source:
        _line(console, f"Page: {source_told(run.source)}")
    if run.other_edition:
        _line(console, run.other_edition, "yellow")
    console.print()
    for text in run.telling:
        _labelled(console, "Reports", text)
    if run.telling:
        console.print()
    for row in problems(run):
        if row.in_part:
            _problem(console, run, row, blocks.get(row.id, ()))
    _last_words(console, run)
    _areas(console, run)
    _counts(console, run)
    if run.shape:
        _line(console, f"Shape: {run.shape}")
    for text in run.notes:
        _line(console, f"Note: {text}")
    if wall_time(run):
        _line(console, f"Wall time: {wall_time(run)}")
    if seal_of(run):
        _line(console, f"Seal: {seal_of(run)}")
    for name, path in (reports or {}).items():
        _line(console, f"{name}: {path}")
    console.print()
    # As it is and on one line, whatever the width: scripts look for it, and the exit code says it once more.
    console.print(Text(run.sentence, style=OUTCOME_STYLES[run.outcome]), highlight=False, soft_wrap=True)


def _line(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    """Text as it is: no markup, no highlighting, no emoji codes; what a client printed may look like any of them."""
    console.print(Padding(Text(text, style=style), (0, 0, 0, indent), expand=False), highlight=False)


def _labelled(console: Console, label: str, text: str) -> None:
    grid = Table.grid(padding=(0, 0))
    grid.add_column(width=LABEL, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style="dim"), Text(text))
    console.print(Padding(grid, (0, 0, 0, 2), expand=False), highlight=False)


def _problem(console: Console, run: RunRecord, row: RowResult, blocked: tuple[str, ...]) -> None:
    by_warning = fails_run(row, run) and row.verdict is Verdict.WARNING
    word = "fail, by a warning under --strict" if by_warning else verdict_words(row)
    head = Text.assemble((f"{row.id} ", "bold"), (f"{word}", STYLES[row.verdict]), f"  {row.title} ({row.level})")
    console.print(head, highlight=False)
    told = cases(row, run)
    for case in told[:MOST_CASES]:
        _case(console, case)
    if len(told) > MOST_CASES:
        _labelled(console, "", f"and {several(len(told) - MOST_CASES, 'further finding')}")
    if shows_fail(row) and row.mend:
        _labelled(console, "Mend", row.mend)
    if shows_fail(row) and row.others:
        _labelled(console, "Others", others_sentence(row.others))
    if blocked:
        _labelled(console, "Blocks", f"{several(len(blocked), 'row')}: {listing(blocked, 8)}")
    if row.reproduce:
        _labelled(console, "Again", row.reproduce)
    console.print()


def _case(console: Console, case: Case) -> None:
    finding = case.finding
    _labelled(console, "Observed", finding.observed)
    if finding.expected:
        _labelled(console, "Expected", finding.expected)
    for one in finding.measured:
        _labelled(console, "Measured", measured_sentence(one))
    _labelled(console, "Evidence", evidence_place(case) or f"scenario {finding.scenario}")


def _last_words(console: Console, run: RunRecord) -> None:
    said = last_words(run)
    for one in said[:MOST_WORDS]:
        ended = one.scenario.exit or "nothing to tell how"
        told = "its last lines:" if one.lines else "it printed nothing."
        _line(console, f"{one.title}. {one.where} it ended with {ended}; {told}", "bold")
        for line in one.lines:
            _line(console, line, indent=2)
        console.print()
    for one in said[MOST_WORDS:]:
        _line(console, f"{one.title}. {one.where} it ended with {one.scenario.exit}.", "bold")
    if said[MOST_WORDS:]:
        console.print()


def _areas(console: Console, run: RunRecord) -> None:
    """A line a row, but rows that nobody asked in one line an area."""
    for area, rows in areas(run.rows).items():
        summary = ", ".join(f"{count} {verdict}" for verdict, count in shares(rows).items())
        console.print(Text.assemble((area, "bold"), f": {summary}"), highlight=False)
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        silent: dict[str, list[str]] = {}  # by style: what was not asked for is no alarm
        for row in rows:
            if row.verdict is Verdict.UNTESTED:
                silent.setdefault("dim" if unasked(row, run) else STYLES[row.verdict], []).append(row.id)
                continue
            title = row.title if row.in_part else f"{row.title} (outside the part)"
            table.add_row(row.id, row.level.value, Text(row.verdict.value, style=STYLES[row.verdict]), Text(title))
        if table.row_count:
            console.print(Padding(table, (0, 0, 0, 2), expand=False), highlight=False)
        for style, names in silent.items():
            _line(console, f"untested: {', '.join(names)}", style, indent=2)
    console.print()


def _counts(console: Console, run: RunRecord) -> None:
    rows = judged(run)
    where = f"part {run.part}" if run.part else run.named
    for level in Level:
        chosen = [row for row in rows if row.level is level]
        if chosen:
            told = ", ".join(f"{count} {verdict}" for verdict, count in shares(chosen).items())
            _line(console, f"{several(len(chosen), f'{level} row')} of {where}: {told}")
    others = len(run.rows) - len(rows)
    if others:
        _line(console, f"{several(others, 'row')} outside the part, which decide nothing")
    changed = [limit.name for limit in run.limits if limit.default is not None]
    if changed:
        _line(console, f"Limits changed for this run: {', '.join(changed)}", "yellow")
