"""The runs that stand in a folder of runs: the latest one of a client, and which of its rows were not green.

The law: a run that cannot be read, or that was only judged again, is none; of another client or set nothing is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from brokercert.engine.ask.given import is_folder
from brokercert.engine.errors import UsageError
from brokercert.engine.run.judgements import named
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


@dataclass(frozen=True, slots=True)
class Failed:
    """`told` says which run they are of, and what of it is left out."""

    rows: tuple[str, ...]
    told: str


def failed_rows(out: Path, asked: RequirementSet, subject: str, can_be_asked: Collection[str]) -> Failed:
    """What `--failed` means: of the latest run, the rows that were not green and can be asked of the client. Of a run
    of some rows alone (`--only`, `--failed`) it is some of these: what an earlier run said of others is not looked up.

    Raises `UsageError` where there is no such run, or nothing of it is to be played.
    """
    found = latest_run(out, asked.id, subject)
    if found is None:
        raise UsageError(
            f"--failed: no run of {subject} against {asked.name} stands in {out}; run once without --failed"
        )
    run, folder = found
    alone = f", a run of {named(run.selected)} alone" if run.selected else ""
    bad = not_green(run)
    rows = tuple(row for row in bad if row in can_be_asked)
    left = [row for row in bad if row not in can_be_asked]
    out_of_it = f"; left out, since it cannot be asked of the client now: {named(left)}" if left else ""
    if not rows:
        mend = "; run once without --failed and --only, to ask for all rows" if run.selected else ""
        raise UsageError(
            f"--failed: {folder}{alone and alone + ','} has no row that can be asked of {subject} and was not green; "
            f"there is nothing to play{out_of_it}{mend}"
        )
    return Failed(rows, f"--failed: {named(rows)}: not green in {folder}{alone}{out_of_it}")
