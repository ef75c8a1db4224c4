"""One cell: one mutant through one scenario in virtual time, and what the checks said of it."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from brokercert.engine.play.grid import sampled
from brokercert.engine.play.scenario import Suite, load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.matrix.subjects import REFERENCE, insiders, mutants_of, subject_named
from brokercert.requirements import RequirementSet, load_set
from brokercert.verdict import worst

# Folders that are made and gone within milliseconds: on a disk, that takes longer than many a cell plays.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@dataclass(frozen=True, slots=True)
class Cell:
    """What is to be played. It names things only, so that it can go to another machine."""

    set_id: str
    subject: str
    scenario: str
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of each row in that scenario, and how the scenario ended."""

    cell: Cell
    verdicts: dict[str, str]
    state: str
    note: str = ""


@lru_cache(maxsize=4)
def _loaded(set_id: str) -> tuple[RequirementSet, Suite]:
    return load_set(set_id), load_suite(set_id)


def cells_of(set_id: str, subjects: Sequence[str] = (), seed: int = 1) -> list[Cell]:
    """Every mutant that need not be a process (or each of `subjects`) through every scenario, mutant by mutant.

    The grid of faults and phases is played whole for the reference client and for mutants that must fail one of its
    rows; for the others a sample of it, with every fault and every phase.
    """
    mutants = mutants_of(set_id)
    scenarios = _loaded(set_id)[1].scenarios
    grid = [scenario for scenario in scenarios if scenario.cell]
    rows = {row for scenario in grid for row in scenario.exercises}
    left = {scenario.name for scenario in grid} - {scenario.name for scenario in sampled(grid, seed)}
    return [
        Cell(set_id, name, scenario.name, seed)
        for name in subjects or tuple(insiders(set_id))
        for scenario in scenarios
        if scenario.name not in left or name == REFERENCE or rows & mutants[name].fails
    ]


@lru_cache(maxsize=1)
def _keep() -> None:
    """What a process has loaded when it has played its first cell is looked at by no collection again: a tenth of the
    time of all others.
    """
    gc.collect()
    gc.freeze()


def play_cell(cell: Cell) -> Told:
    """Play it and judge its trace. Called in workers."""
    rows, suite = _loaded(cell.set_id)
    with tempfile.TemporaryDirectory(prefix="brokercert-matrix-", dir=MEMORY) as folder:
        request = RunRequest(
            cell.set_id,
            subject_named(cell.set_id, cell.subject, cell.seed),
            seed=cell.seed,
            tier="virtual",
        )
        played = play_alone(suite.by_name(cell.scenario), request, rows, "matrix", Path(folder))
    said: dict[str, str] = {}
    findings = judge_trace(played.trace, rows, suite.dialect.judging)
    for row in sorted({finding.requirement for finding in findings}):
        said[row] = worst(f.verdict for f in findings if f.requirement == row).value
    _keep()
    return Told(cell, said, played.result.state, played.result.note)
