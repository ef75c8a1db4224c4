"""The runs that stand in a folder of runs: the latest one of a client, and which of its rows were not green.

The law: a run that cannot be read, or that was only judged again, is none; of another client or set nothing is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from brokercert.engine.ask.given import is_folder
from brokercert.engine.errors import UsageError
from brokercert.engine.run.latest import LATEST
from brokercert.requirements import RequirementSet
from brokercert.verdict import RUN_FORMAT, RowResult, RunRecord, Verdict, decode_run

GREEN = (Verdict.PASS, Verdict.WARNING, Verdict.NOT_APPLICABLE)  # a warning is told, and does not fail


def latest_run(out: Path, set_id: str, subject: str) -> tuple[RunRecord, Path] | None:
    """The newest run of this client against this set, by its id, which begins with its time."""
    found = ((run, folder) for run, folder in _runs(out) if (run.set_id, run.subject.name) == (set_id, subject))
    return next(found, None)


def _runs(out: Path) -> Iterator[tuple[RunRecord, Path]]:
    """The newest first. `latest` is a link to one of them."""
    try:
        folders = sorted((one for one in out.iterdir() if one.name != LATEST and is_folder(one)), reverse=True)
    except OSError:
        return
    for folder in folders:
        try:
            run = decode_run((folder / "run.json").read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if run.format == RUN_FORMAT and "judged" not in run.environment:
            yield run, folder


def not_green(run: RunRecord) -> tuple[str, ...]:
    """The rows that were asked for and did not come out green; under `--strict` a warning is not."""
    return tuple(row.id for row in run.rows if row.in_part and _was_asked(row, run) and not _is_green(row, run))


def _was_asked(row: RowResult, run: RunRecord) -> bool:
    return not run.selected or row.id in run.selected


def _is_green(row: RowResult, run: RunRecord) -> bool:
    return row.verdict in GREEN and not (run.strict and row.verdict is Verdict.WARNING)


def failed_rows(out: Path, asked: RequirementSet, subject: str, can_be_asked: Collection[str]) -> tuple[str, ...]:
    """What `--failed` means: of the latest run, the rows that were not green and can be asked of the client.

    Raises `UsageError` where there is no such run, or nothing of it is to be played.
    """
    found = latest_run(out, asked.id, subject)
    if found is None:
        raise UsageError(
            f"--failed: no run of {subject} against {asked.name} stands in {out}; run once without --failed"
        )
    run, folder = found
    rows = tuple(row for row in not_green(run) if row in can_be_asked)
    if not rows:
        raise UsageError(
            f"--failed: {folder} has no row that can be asked of {subject} and was not green; there is nothing to play"
        )
    return rows
