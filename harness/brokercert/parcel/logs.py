"""Logs that a person reads: of each row the records that decide it, by the clock, with their direction.

They are made of the run's record and its traces, and decide nothing. A payload is cut as in the report; secrets are
labels, since they are labels in the trace. Together they are what a broker takes in one message, or they are split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brokercert_reports.plan import DRAFT, moment_at, result_of
from brokercert_reports.text import printable, sentence
from brokercert_reports.view import Case, cases, evidence_place, verdict_words, waiver_words

from brokercert.engine.play.scenario import load_dialect
from brokercert.judge.excerpt import AROUND, MOST_MARKED, ToldOf, line, told_of_none
from brokercert.requirements import RequirementError
from brokercert.trace.reader import read_records
from brokercert.verdict import ExcerptLine, RowResult, RunRecord

LONGEST = 4000  # characters of a line: what a client wrote may stand in its reason
MOST = 3_000_000  # bytes of logs that go into one message: the broker's programme takes 3 MB
WAYS = {"client": "client > broker", "broker": "broker > client"}

About = tuple[str, str] | None
Sender = Callable[[str], str]
Key = tuple[str, int, About]  # of a line: its trace, the record's number, the entity that it is about


@dataclass
class _Wanted:
    """The records to be told of one trace: number -> what each telling is about."""

    records: dict[int, set[About]] = field(default_factory=dict)


def logs_of(run: RunRecord, folder: Path, *, draft: bool = False, sent: Sender = str) -> dict[str, bytes]:
    """The logs by the names of their files. `folder` is the run's; `sent` makes a text what may be sent away.

    Raises `TraceError`.
    """
    told = {row.id: cases(row, run) for row in run.rows}
    lines = _lines([case for several in told.values() for case in several], run, folder)
    texts = {row.id: sent(_log(row, run, told[row.id], lines, draft)) for row in run.rows}
    return dict(_packed({name: text.encode() for name, text in texts.items()}))


def _numbers(case: Case) -> tuple[list[int], list[int]]:
    """The records that are told of a finding: its evidence, and what lies around it."""
    marked = [number for number in sorted(set(case.finding.evidence)) if number > 0][:MOST_MARKED]
    around = {near for number in marked for near in range(max(1, number - AROUND), number + AROUND + 1)}
    return marked, sorted(around)


def _lines(told: Sequence[Case], run: RunRecord, folder: Path) -> dict[Key, ExcerptLine]:
    wanted: dict[str, _Wanted] = {}
    for case in told:
        if case.trace:
            marked, around = _numbers(case)
            records = wanted.setdefault(case.trace, _Wanted()).records
            for number in around:
                records.setdefault(number, set()).add(case.finding.about if number in marked else None)
    told_of = _told_of(run.set_id)
    return {
        (trace, number, about): line(number, record, about=about, told_of=told_of)
        for trace, one in wanted.items()
        for number, record in read_records(folder / trace, one.records)
        for about in one.records[number]
    }


def _told_of(set_id: str) -> ToldOf:
    try:
        return load_dialect(set_id).judging.told_of
    except RequirementError:
        return told_of_none


def _log(row: RowResult, run: RunRecord, told: Sequence[Case], lines: Mapping[Key, ExcerptLine], draft: bool) -> str:
    head = [
        *([DRAFT, ""] if draft else []),
        f"{row.id} ({row.level}) {row.text}",
        f"Source: {row.source}",
        f"Result: {result_of(row, run)}. Verdict: {verdict_words(row)}. {sentence(row.reason)}",
        *(f"Waiver {waiver_words(one, run)}" for one in run.waivers if one.row == row.id),
        f"Client: {run.subject.name}. Run: {run.run_id}, {run.started}. The broker was a simulated one.",
    ]
    return "\n".join(map(_plain, [*head, *(text for case in told for text in _of_case(case, lines))])) + "\n"


def _of_case(case: Case, lines: Mapping[Key, ExcerptLine]) -> Iterator[str]:
    finding = case.finding
    clause = f" ({finding.clause})" if finding.clause else ""
    yield ""
    yield f"In scenario {finding.scenario}{clause}: {finding.verdict}: {finding.observed}"
    if finding.expected:
        yield f"Expected: {finding.expected}"
    if not case.trace:
        return
    began = case.scenario.began if case.scenario else ""
    clock = "the clock is virtual" if case.scenario and case.scenario.tier == "virtual" else "UTC"
    yield f"Evidence: {evidence_place(case)}; marked with *; {clock if began else 'seconds since the scenario began'}"
    marked, around = _numbers(case)
    before = 0
    for number in around:
        one = lines.get((case.trace, number, finding.about if number in marked else None))
        if one is None:  # after the trace's end
            continue
        if before and number > before + 1:
            yield "      ..."
        before = number
        at = moment_at(began, one.at) or f"{one.at:.3f} s"
        connection = f"conn {one.conn}" if one.conn else ""
        way = WAYS.get(one.who, one.who)
        yield f"  {'*' if number in marked else ' '} {at}  record {number:<6} {connection:<8} {way:<15}  {one.text}"


def _plain(text: str) -> str:
    """A line, in which nothing moves a cursor or begins another line."""
    text = printable(text).replace("\n", "\\n").replace("\t", "\\t").rstrip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _packed(logs: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """One folder, or as many as are needed for each to be below `MOST` bytes; a log that is larger is split."""
    pieces = [piece for name, text in logs.items() for piece in _split(name, text)]
    if sum(len(text) for _, text in pieces) < MOST:
        yield from ((f"logs/{name}.txt", text) for name, text in pieces)
        return
    part, size = 1, 0
    for name, text in pieces:
        if size + len(text) >= MOST:
            part, size = part + 1, 0
        size += len(text)
        yield f"logs/part-{part}/{name}.txt", text


def _split(name: str, text: bytes) -> list[tuple[str, bytes]]:
    """A log of less than `MOST` bytes, or pieces of it, cut between lines. No line is longer than a piece."""
    if len(text) < MOST:
        return [(name, text)]
    pieces: list[bytes] = []
    piece: list[bytes] = []
    size = 0
    for one in text.splitlines(keepends=True):
        if size + len(one) >= MOST:
            pieces.append(b"".join(piece))
            piece, size = [], 0
        piece.append(one)
        size += len(one)
    pieces.append(b"".join(piece))
    return [(f"{name}.{number}", one) for number, one in enumerate(pieces, 1)]
