"""The records around a finding's evidence, each as a sentence that a reader can follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brokercert.judge.sentences import describe
from brokercert.judge.transcript import SECOND
from brokercert.trace import Body, Trace
from brokercert.trace import records as r
from brokercert.verdict import Excerpt, ExcerptLine

AROUND = 3  # records before and after each piece of evidence
MOST_MARKED = 12
LONGEST = 300  # characters of a payload that a report shows; the trace has the rest

# What a record says of one entity, by its type and id: the dialect's. Empty where it is no record of entities.
ToldOf = Callable[[Body, str, str], str]


def told_of_none(record: Body, kind: str, ident: str) -> str:
    """Of a dialect whose entities are not compared."""
    return ""


def excerpt(
    trace: Trace, evidence: Sequence[int], about: tuple[str, str] | None = None, told_of: ToldOf = told_of_none
) -> Excerpt:
    """The evidence and the records around it. Record 0 is the header and has no line. The entity that it is `about`
    (type and id) is shown in full, by `told_of`, where a piece of evidence has it.
    """
    marked = [n for n in sorted(set(evidence)) if 1 <= n <= len(trace.records)]
    shown = marked[:MOST_MARKED]
    numbers: set[int] = set()
    for n in shown:
        numbers.update(range(max(1, n - AROUND), min(len(trace.records), n + AROUND) + 1))
    lines = [line(n, trace.records[n - 1], n in shown, about if n in shown else None, told_of) for n in sorted(numbers)]
    return Excerpt(
        scenario=trace.header.scenario, lines=tuple(lines), play=trace.header.play, omitted=len(marked) - len(shown)
    )


def line(
    number: int,
    record: Body,
    marked: bool = False,
    about: tuple[str, str] | None = None,
    told_of: ToldOf = told_of_none,
) -> ExcerptLine:
    who, conn, text = describe(record)
    whole = len(text) <= LONGEST
    if not whole:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    if about is not None and (isinstance(record, r.Ledger) or not whole):
        text += told_of(record, *about)
    return ExcerptLine(record=number, at=record.t / SECOND, conn=conn, who=who, text=text, marked=marked)
