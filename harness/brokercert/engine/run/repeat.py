"""Several runs of the same request as one record, of which each row has the worst verdict: races show only so.

The law: nothing is judged anew. A row's findings are those of the run in which it was worst, the first of these; what
the others said of it stands beside (`RowResult.tries`). Each run keeps its own folder, in which it can be judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import structs

from brokercert.engine.errors import UsageError
from brokercert.engine.run.folder import made, remove
from brokercert.engine.run.latest import LATEST, is_no_link, leads_to, point_latest, take_back
from brokercert.judge.plays import MOST
from brokercert.verdict import (
    Outcome,
    RowResult,
    RunRecord,
    ScenarioResult,
    Timing,
    concluded,
    severity,
)


@contextmanager
def repeat_folder(out: Path, run_id: str, told: str) -> Iterator[Path]:
    """`out`/`run_id`, to which `latest` leads from the first. Gone again where a `UsageError` or a Ctrl-C ends the
    block before anything was kept in it. A `UsageError` names the folder where runs were.

    What else stands in the folder is left there, and so is a folder that somebody took away.
    """
    if is_no_link(out):
        raise UsageError(f"{told}: {out / LATEST} is no link; expected the link to the newest run, or nothing")
    folder = out / run_id
    before = leads_to(out)
    ours = made(folder, f"{told}: no run can be written to {out}")
    try:
        point_latest(folder)
        yield folder
    except (UsageError, KeyboardInterrupt) as error:
        if isinstance(error, UsageError) and any(folder.glob("*/run.json")):
            raise UsageError(f"{error}; the runs before it stand in {folder}") from error
        _take_away(folder, before, ours)
        raise


def _take_away(folder: Path, before: str, ours: Sequence[Path]) -> None:
    """As if it had not been, unless something stands in it. `before`: where `latest` led; `ours`: what was made."""
    if _holds_something(folder):
        return
    take_back(folder, before)
    with suppress(OSError):  # the link of the runs in it
        (folder / LATEST).unlink()
    remove([folder, *ours[1:]])


def _holds_something(folder: Path) -> bool:
    """Beside the link of its runs: traces of a run that ended without a record, or what is not ours."""
    with suppress(OSError):
        return any(one.name != LATEST for one in folder.iterdir())
    return False


def repeated(runs: Sequence[RunRecord], run_id: str, *, interrupted: bool = False) -> RunRecord:
    """All of them as one. The first says what was asked for; `run_id` is the folder's, in which theirs stand.
    `interrupted`: no more were made, since somebody ended it between two.
    """
    first = runs[0]
    rows = tuple(_worst([run.rows[place] for run in runs], place) for place in range(len(first.rows)))
    interrupted = interrupted or any(run.outcome is Outcome.INTERRUPTED for run in runs)
    run = structs.replace(
        first,
        run_id=run_id,
        rows=rows,
        scenarios=tuple(_placed(one, run, number) for number, run in enumerate(runs) for one in run.scenarios),
        timing=_summed([run.timing for run in runs]),
        notes=_once(run.notes for run in runs),
        telling=_once(run.telling for run in runs),
        shape=next((run.shape for run in runs if run.shape), ""),
        repeats=len(runs),
    )
    return concluded(run, interrupted=interrupted)


def _worst(tries: Sequence[RowResult], place: int) -> RowResult:
    """The row as its worst run has it. `place` is the same in all: the rows of a set have an order."""
    assert len({row.id for row in tries}) == 1, f"row {place} is another one in another run"
    number = min(range(len(tries)), key=lambda n: (severity(tries[n].verdict, tries[n].level), n))
    row = tries[number]
    return structs.replace(
        row,
        tries=tuple(one.verdict for one in tries),
        findings=tuple(structs.replace(one, play=_play(one.play, number)) for one in row.findings),
        excerpts=tuple(structs.replace(one, play=_play(one.play, number)) for one in row.excerpts),
    )


def _play(play: int, number: int) -> int:
    """Which playing it is of all runs: each run has `MOST` of a scenario."""
    return number * MOST + play


def _placed(one: ScenarioResult, run: RunRecord, number: int) -> ScenarioResult:
    trace = f"{run.run_id}/{one.trace}" if one.trace else ""
    return structs.replace(one, play=_play(one.play, number), trace=trace)


def _once(texts: Iterator[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for several in texts for text in several))


def _summed(timings: Sequence[Timing]) -> Timing:
    return Timing(**{name: round(sum(getattr(t, name) for t in timings), 1) for name in Timing.__struct_fields__})
