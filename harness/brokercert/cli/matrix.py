"""`brokercert matrix [options]`: does the suite catch every known defect, and nothing but it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CLUSTER, JOBS, SEED, Place
from brokercert.sets import default_set, own_sets

if TYPE_CHECKING:
    from brokercert.engine.run.defects import Score


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_id", metavar="SET", default="", help=f"Requirement set (default: {default_set()}).")
@click.option("--mutant", "subjects", metavar="NAME", multiple=True, help="Only this mutant; repeatable.")
@JOBS
@CLUSTER
@SEED
@click.option("--keep", is_flag=True, help="Keep the score in the package, for reports to tell.")
@click.option("--page", type=Place(dir_okay=False), help="Play nothing; write the page of all mutants.")
def matrix(
    set_id: str, subjects: tuple[str, ...], jobs: int, cluster: str, seed: int, keep: bool, page: Path | None
) -> int:
    """Play every mutant (a client with one known defect) through every scenario, in virtual time.

    Exit status: 0 each fails what it must and nothing else; 3 a check or a mutant is not what is written of it.
    """
    import time

    from brokercert.cli import HARNESS_ERROR, INTERRUPTED
    from brokercert.engine.errors import UsageError
    from brokercert.matrix.cells import Cell, Told, cells_of, play_cell
    from brokercert.matrix.score import differences, score_of
    from brokercert.matrix.score import page as page_of
    from brokercert.matrix.subjects import REFERENCE, insiders, mutants_of
    from brokercert.parallel import in_order, workers

    if page:
        page.write_text(page_of([set_id] if set_id else own_sets()), "utf-8")
        return 0
    set_id = set_id or default_set()
    known = mutants_of(set_id)
    for name in subjects:
        if name not in known and name != REFERENCE:
            raise UsageError(f"--mutant {name}: no such mutant of {set_id}; known: {', '.join(known)}")
        if name in known and known[name].process:
            raise UsageError(
                f"--mutant {name}: expected one that needs no process of its own; try `dev.py mutants {name}`"
            )
    if keep and subjects:
        raise UsageError("--keep: expected the whole matrix; leave --mutant out")
    cells: list[Cell] = cells_of(set_id, subjects or (REFERENCE, *insiders(set_id)), seed)
    began = time.monotonic()
    count = 0

    def on_result(place: int, told: Told) -> None:
        nonlocal count
        count += 1
        if count % 200 == 0:
            click.echo(f"{count} of {len(cells)} cells, {time.monotonic() - began:.0f} s", err=True)

    done = in_order(play_cell, cells, workers(cluster, jobs), on_result)
    told = done.complete
    if done.interrupted:  # of a mutant that was not played in full nothing can be said
        short = {cell.subject for cell, one in zip(cells, done.results, strict=True) if one is None}
        told = tuple(one for one in told if one.cell.subject not in short)
    wrong = differences(told, known)
    for line in wrong:
        click.echo(line)
    took = time.monotonic() - began
    if done.interrupted:
        click.echo(f"interrupted: {len(done.complete)} of {len(cells)} cells were played")
        return INTERRUPTED
    if not subjects:
        score = score_of(set_id, told)
        click.echo(f"{set_id}: this suite catches {score.killed} of {score.mutants} known defects")
        if keep and not wrong:
            _keep(score)
    click.echo(f"{len(cells)} cells in {took:.0f} s, {len(wrong)} not as written")
    return HARNESS_ERROR if wrong else 0


def _keep(score: Score) -> None:
    from brokercert.engine.errors import UsageError
    from brokercert.engine.run.defects import keep_score, scores_of

    try:
        keep_score(score)
    except OSError as error:
        raise UsageError(
            f"--keep: {scores_of(score.set_id)}: {error.strerror}; expected a package that may be written to, such as "
            "an editable install of its sources"
        ) from error
