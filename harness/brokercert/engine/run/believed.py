"""A record of a run that is read again: what it says is held against what it says it of.

The law: nobody has to believe a `run.json`. A row's verdict follows from its findings. The outcome and its sentence
follow from the rows. Which rows there are follows from the set. A record that says otherwise was edited, or is of a
version that judged otherwise. It is refused, by the field that differs first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from brokercert.engine.errors import UsageError
from brokercert.engine.run.plan import of_part
from brokercert.judge.rows import verdict_of
from brokercert.requirements import RequirementError, load_set
from brokercert.verdict import RUN_FORMAT, Outcome, RunRecord, outcome_of, sentence_of

EXPECTED = "expected a run.json as its run wrote it; `brokercert judge` makes one from the traces"


def refuse_contradiction(run: RunRecord, path: Path) -> None:
    """Raises `UsageError` where the record contradicts itself, or today's set of the same hash."""
    if run.format != RUN_FORMAT:
        raise UsageError(f"{path}: format {run.format}, this version reads {RUN_FORMAT}; report it with {run.tool}")
    for field, said, follows in _fields(run):
        if said != follows:
            raise UsageError(f"{path}: {field}: {said}; what it is made of says: {follows}; {EXPECTED}")


def _fields(run: RunRecord) -> Iterator[tuple[str, str, str]]:
    """Each field that follows from others: its name, what is said, and what follows."""
    yield from _of_the_set(run)
    for row in run.rows:
        deselected = bool(run.selected) and row.id not in run.selected
        verdict, reason = verdict_of(row.level, row.findings, row.scenarios, deselected)
        yield f"{row.id}: verdict", row.verdict.value, verdict.value
        yield f"{row.id}: reason", row.reason, reason
    outcome = outcome_of(
        run.rows,
        strict=run.strict,
        interrupted=run.outcome is Outcome.INTERRUPTED,
        missing=run.missing,
        vouched=run.vouched,
    )
    yield "outcome", run.outcome.value, outcome.value
    sentence = sentence_of(
        outcome,
        run.rows,
        subject=run.subject.name,
        set_id=run.named,
        part=run.part,
        missing=run.missing,
        vouched=run.vouched,
    )
    yield "sentence", run.sentence, sentence


def _of_the_set(run: RunRecord) -> Iterator[tuple[str, str, str]]:
    """Where today's set is the one that the record names: its rows, their levels, and which are in the part."""
    try:
        rows = load_set(run.set_id)
        part = set(of_part(rows, run.part))
    except (RequirementError, UsageError) as error:
        raise UsageError(f"{run.set_id}: {error}; report it with {run.tool}") from error
    if rows.hash != run.set_hash:
        return
    if run.set_name:  # older records have none
        yield "set_name", run.set_name, rows.name
    if run.source is not None and rows.source is not None:
        yield "source.edition", run.source.edition, rows.source.edition
    yield "rows", ", ".join(row.id for row in run.rows), ", ".join(row.id for row in rows.rows)
    for row, known in zip(run.rows, rows.rows, strict=False):
        yield f"{row.id}: level", row.level, known.level
        yield f"{row.id}: in_part", str(row.in_part).lower(), str(row.id in part).lower()
