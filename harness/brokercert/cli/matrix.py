"""`brokercert matrix [options]`: does the suite catch every known defect, and nothing but it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CLUSTER, JOBS, SEED, Place, set_typed
from brokercert.cli.outlet import say
from brokercert.sets import default_set, own_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brokercert.engine.run.defects import Score
    from brokercert.matrix.cells import Cell, Due
    from brokercert.requirements import RequirementSet

SHARE = 3000  # cells that no mutant must fail: as many as two cores play in a minute


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", default="", help=f"Requirement set (default: {default_set()}).")
@click.option("--mutant", "subjects", metavar="NAME", multiple=True, help="Only this mutant; repeatable.")
@click.option("--all", "whole", is_flag=True, help="Play everything.")
@click.option("--keep", is_flag=True, help="Keep the score, for reports to tell.")
@click.option("--draw", metavar="N", type=int, help="Which share of the other cells; else another one each time.")
@JOBS
@CLUSTER
@SEED
@click.option("--page", type=Place(dir_okay=False), help="Play nothing; write the page of all mutants.")
def matrix(
    set_name: str,
    subjects: tuple[str, ...],
    whole: bool,
    keep: bool,
    draw: int | None,
    jobs: int,
    cluster: str,
    seed: int,
    page: Path | None,
) -> int:
    """Play every mutant (a client with one known defect), in every form, through its scenarios in virtual time.

    Exit status: 0 each fails what it must and nothing else; 3 a check or a mutant is not what is written of it.
    """
    import time

    from brokercert.cli import HARNESS_ERROR, INTERRUPTED
    from brokercert.engine.errors import UsageError
    from brokercert.matrix.cells import Due, Told, play_share
    from brokercert.matrix.score import differences, score_of
    from brokercert.matrix.score import page as page_of
    from brokercert.matrix.subjects import known
    from brokercert.parallel import in_order, workers

    if page:
        page.write_text(page_of([set_typed(set_name).id] if set_name else own_sets()), "utf-8")
        return 0
    rows = set_typed(set_name or default_set())
    if (whole or keep) and subjects:
        raise UsageError("--all and --keep: expected all mutants; leave --mutant out")
    shares = _shares(rows, subjects, whole, draw, seed)
    began = time.monotonic()
    count = 0

    def on_result(place: int, told: tuple[Told, ...]) -> None:
        nonlocal count
        if (count + len(told)) // 500 > count // 500:
            say(f"{count + len(told)} cells, {time.monotonic() - began:.0f} s", err=True)
        count += len(told)

    done = in_order(play_share, shares, workers(cluster, jobs), on_result)
    told = tuple(one for some in done.complete for one in some)
    if done.interrupted:  # of a mutant that was not played in full nothing can be said
        short = {share.subject for share, some in zip(shares, done.results, strict=True) if some is None}
        told = tuple(one for one in told if one.cell.subject not in short)
    in_part = {share.subject for share in shares if isinstance(share, Due)}
    wrong = differences(told, known(rows.id), in_part)
    for line in wrong:
        say(line)
    took = time.monotonic() - began
    if done.interrupted:
        say(f"interrupted: {count} cells were played")
        return INTERRUPTED
    if not subjects:
        score = score_of(rows.id, told)
        say(
            f"{rows.name}: this suite catches {score.killed} of {score.mutants} known defects, and"
            f" {score.forms_killed} of their {score.forms} forms"
        )
        if keep:
            _keep(score)
    say(f"{count} cells in {took:.0f} s, {len(wrong)} not as written")
    return HARNESS_ERROR if wrong else 0


def _shares(
    asked: RequirementSet, subjects: Sequence[str], whole: bool, draw: int | None, seed: int
) -> list[Cell | Due]:
    """What is to be played: the mutants that were asked for, everything, or what is due and a share of the rest."""
    import secrets

    from brokercert.engine.errors import UsageError
    from brokercert.matrix.cells import Due, cells_of, drawn_from
    from brokercert.matrix.subjects import REFERENCE, forms_of, insiders, known

    set_id = asked.id
    mutants, forms = known(set_id), forms_of(set_id)
    for name in subjects:
        if name not in mutants and name != REFERENCE:
            there = ", ".join(sorted(set(mutants) - set(forms)))
            raise UsageError(f"--mutant {name}: no such mutant of {asked.name}; known: {there}")
        if name in mutants and mutants[name].process:
            raise UsageError(
                f"--mutant {name}: expected one that needs no process of its own; try `dev.py mutants {name}`"
            )
    if subjects:
        more = [name for name in forms if name.partition("@")[0] in subjects and name not in subjects]
        return [*cells_of(set_id, subjects, seed), *(Due(set_id, name, seed) for name in more)]
    everybody = (*insiders(set_id), *forms)
    if whole:
        return [*cells_of(set_id, (REFERENCE, *everybody), seed)]
    due = [Due(set_id, name, seed) for name in everybody]
    mine = {(one.subject, scenario) for one in due for row in one.rows for scenario in one.places(row)}
    others = [cell for cell in cells_of(set_id, everybody, seed) if (cell.subject, cell.scenario) not in mine]
    draw = secrets.randbelow(10**6) if draw is None else draw
    say(f"{min(SHARE, len(others))} of {len(others)} other cells, drawn by the number {draw}: --draw {draw}")
    return [*cells_of(set_id, (REFERENCE,), seed), *due, *drawn_from(others, SHARE, draw)]


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
