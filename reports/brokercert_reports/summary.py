"""The run in Markdown, for the summary page of a CI job.

The law: it never grows beyond what GitHub takes (1,024 KiB a step, and 65,535 bytes in a check), whatever a client
wrote: the verdict and what decides it come first, and what no longer fits is counted, not lost silently.
"""

from __future__ import annotations

import re

from brokercert.verdict import EXIT_CODES, RowResult, RunRecord, Verdict, shows_fail

from brokercert_reports.seal import seal_of
from brokercert_reports.text import (
    listing,
    measured_sentence,
    others_sentence,
    printable_run,
    sentence,
    several,
    source_told,
    stopped,
)
from brokercert_reports.view import (
    MOST_WORDS,
    LastWords,
    blocked_by,
    cases,
    evidence_place,
    fails_run,
    judged,
    keeps_open,
    last_words,
    outcome_title,
    problems,
    shares,
    verdict_words,
    wall_time,
)

MOST_BYTES = 60_000
TAIL = 2_000  # bytes kept for what stands at the end
MOST_NOTES = 10  # of the harness on its own run, or on the traces that it judged: it has no more
MOST_SAID = 10  # of a client's last lines
MOST_TOLD = 15  # sentences on the client's reports: as many as the harness says
LONGEST = 600  # characters of any one text that a client had a hand in
_SPECIAL = re.compile(r"([\\`*_\[\]~$]|:(?=//)|\.(?<=www\.))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}


def render_summary(run: RunRecord) -> str:
    """The summary as Markdown, at most 60,000 bytes of UTF-8."""
    run = printable_run(run)
    parts = [_head(run)]
    room = MOST_BYTES - TAIL - len(parts[0].encode())
    blocks = blocked_by(run)
    left_out = 0
    for said in last_words(run)[:MOST_WORDS]:
        parts.append(_last_words(said))
        room -= len(parts[-1].encode()) + 1
    for row in problems(run):
        section = _problem(row, run, blocks.get(row.id, ()))
        size = len(section.encode()) + 1
        if size > room:
            left_out += 1
            continue
        room -= size
        parts.append(section)
    if left_out:
        parts.append(f"{several(left_out, 'further row')} with findings in report.html.\n")
    parts.append(_tail(run))
    return "\n".join(parts)


def markdown(text: str, most: int = LONGEST) -> str:
    """Text in one line in which nothing is markup, a table's border or a link. It must not begin a line."""
    text = " ".join(text.split())
    if len(text) > most:
        text = text[: most - 1] + "…"
    text = _SPECIAL.sub(r"\\\1", text)
    return "".join(_ENTITIES.get(c, c) for c in text)


def _head(run: RunRecord) -> str:
    lines = [
        f"## {markdown(outcome_title(run))}: {markdown(run.subject.name, 120)}",
        "",
        f"{markdown(stopped(run.sentence), 4000)} Exit {EXIT_CODES[run.outcome].value}.",
        "",
        *([markdown(run.other_edition), ""] if run.other_edition else []),
        "| Verdict | MUST | SHOULD |",
        "| --- | ---: | ---: |",
    ]
    rows = judged(run)
    for verdict in shares(rows):
        must, should = (sum(r.verdict is verdict and r.level == level for r in rows) for level in ("MUST", "SHOULD"))
        lines.append(f"| {verdict} | {must} | {should} |")
    if run.telling:
        lines += ["", "What is wrong with the client's reports:", ""]
        lines += [f"- {markdown(text, 300)}" for text in run.telling[:MOST_TOLD]]
    if run.shape:
        lines += ["", markdown(run.shape)]
    if run.notes:
        lines += ["", "Notes:", ""]
        lines += [f"- {markdown(text)}" for text in run.notes[:MOST_NOTES]]
    return "\n".join(lines) + "\n"


def _last_words(said: LastWords) -> str:
    ended = said.scenario.exit or "nothing to tell how"
    lines = [f"### {said.title}", "", f"{markdown(said.where)} it ended with {markdown(ended)}.", ""]
    lines += [f"- {markdown(line)}" for line in said.lines[-MOST_SAID:]]
    return "\n".join(lines) + "\n"


def _problem(row: RowResult, run: RunRecord, blocked: tuple[str, ...]) -> str:
    bearing = "" if fails_run(row, run) or keeps_open(row) else ", decides nothing"
    lines = [f"### {row.id} {verdict_words(row)}: {markdown(row.title)} ({row.level}{bearing})", ""]
    for case in cases(row, run)[:3]:
        lines.append(f"- **Observed** {markdown(sentence(case.finding.observed))}")
        if case.finding.expected:
            lines.append(f"- **Expected** {markdown(sentence(case.finding.expected))}")
        lines += [f"- **Measured** {markdown(measured_sentence(one))}" for one in case.finding.measured[:3]]
        lines.append(f"- **Evidence** {markdown(evidence_place(case) or case.finding.scenario)}")
    if shows_fail(row) and row.mend:
        lines.append(f"- **Mend** {markdown(row.mend)}")
    if shows_fail(row) and row.others:
        lines.append(f"- **Others** {markdown(others_sentence(row.others))}")
    if blocked:
        lines.append(f"- **Blocks** {several(len(blocked), 'row')}: {markdown(listing(blocked, 12))}")
    return "\n".join(lines) + "\n"


def _tail(run: RunRecord) -> str:
    silent = [row for row in run.rows if keeps_open(row) and row.verdict in (Verdict.BLOCKED, Verdict.UNTESTED)]
    lines = [
        f"MUST rows {verdict}: {listing((row.id for row in silent if row.verdict is verdict), 40)}.\n"
        for verdict in shares(silent)
    ]
    lines += [
        f"Requirement set {markdown(run.named)} version {markdown(run.set_version, 40)},"
        f" level shown: {markdown(run.subject.level)},"
        f" {markdown(run.tool, 60)}. The broker was a simulated one, not the live one.",
    ]
    if run.source:
        lines += ["", f"Made from {markdown(source_told(run.source))}."]
    if wall_time(run):
        lines += ["", f"Wall time: {wall_time(run)}."]
    if seal_of(run):
        lines += ["", f"Seal of the traces: `{seal_of(run)}`."]
    lines += ["", f"Again: {markdown(run.reproduce, 400)}"]
    return "\n".join(lines) + "\n"
