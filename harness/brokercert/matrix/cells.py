"""One cell: one mutant through one scenario in virtual time, and what the checks said of it; and which there are."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from random import Random

from brokercert.engine.play.grid import sampled
from brokercert.engine.play.scenario import Suite, load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import MEMORY, play_alone, shape_learnt
from brokercert.judge import judge_trace
from brokercert.matrix.subjects import REFERENCE, insiders, known, outside, subject_named
from brokercert.matrix.truth.reader import untrue
from brokercert.matrix.truth.spread import spread
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Shape
from brokercert.verdict import Verdict, worst

FALLEN = frozenset({Verdict.FAIL.value, Verdict.WARNING.value})


@dataclass(frozen=True, slots=True)
class Cell:
    """What is to be played. It names things only, so that it can go to another machine."""

    set_id: str
    subject: str
    scenario: str
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of each row in that scenario, how the scenario ended, and what was said that its trace refutes."""

    cell: Cell
    verdicts: dict[str, str]
    state: str
    note: str = ""
    untrue: tuple[str, ...] = ()


@lru_cache(maxsize=4)
def _loaded(set_id: str) -> tuple[RequirementSet, Suite]:
    return load_set(set_id), load_suite(set_id)


def cells_of(set_id: str, subjects: Sequence[str] = (), seed: int = 1) -> list[Cell]:
    """Every mutant that need not be a process (or each of `subjects`) through every scenario, mutant by mutant.

    The grid of faults and phases is played whole for the reference client and for whoever must fail one of its rows;
    for other mutants a sample of it, with every fault and every phase; for other forms of mutants none of it.
    """
    mutants = known(set_id)
    scenarios = _loaded(set_id)[1].scenarios
    grid = [scenario for scenario in scenarios if scenario.cell]
    rows = {row for scenario in grid for row in scenario.exercises}
    left = {scenario.name for scenario in grid} - {scenario.name for scenario in sampled(grid, seed)}
    return [
        Cell(set_id, name, scenario.name, seed)
        for name in subjects or tuple(insiders(set_id))
        for scenario in scenarios
        if name == REFERENCE
        or rows & mutants[name].fails
        or (scenario.name not in left and (scenario.cell is None or "@" not in name))
    ]


def drawn_from(cells: Sequence[Cell], most: int, draw: int) -> list[Cell]:
    """`most` of these cells, or all where there are fewer, in their order. `draw` alone says which."""
    places = sorted(Random(draw).sample(range(len(cells)), min(most, len(cells))))
    return [cells[place] for place in places]


@dataclass(frozen=True, slots=True)
class Due:
    """A mutant, or a form of one, through the scenarios of the rows that it must fail: of each row until one tells."""

    set_id: str
    subject: str
    seed: int = 1

    @property
    def rows(self) -> list[str]:
        """Those that a client of this process can show."""
        return sorted(known(self.set_id)[self.subject].fails - outside(self.set_id))

    def places(self, row: str) -> list[str]:
        """The scenarios of a row, those of the grid last; then those of its other rows, since a row that others
        presuppose, as stability, may fall there alone. An invariant may fall in any.
        """
        rows, suite = _loaded(self.set_id)
        listed = suite.listed()
        named = [name for one in (row, *self.rows) for name in listed.get(one, ())]
        if rows.by_id[row].kind == "invariant":
            named += [scenario.name for scenario in suite.scenarios if scenario.cell is None]
        return sorted(dict.fromkeys(named), key=lambda name: suite.by_name(name).cell is not None)


def play_due(due: Due) -> tuple[Told, ...]:
    """What was said in those that were played. Called in workers."""
    told: dict[str, Told] = {}
    for row in due.rows:
        for scenario in due.places(row):
            if any(one.verdicts.get(row) in FALLEN for one in told.values()):
                break
            if scenario not in told:
                told[scenario] = play_cell(Cell(due.set_id, due.subject, scenario, due.seed))
    return tuple(told.values())


def play_share(share: Cell | Due) -> tuple[Told, ...]:
    """Either. Called in workers."""
    return play_due(share) if isinstance(share, Due) else (play_cell(share),)


@lru_cache(maxsize=1)
def _keep() -> None:
    """What a process has loaded when it has played its first cell is looked at by no collection again: a tenth of the
    time of all others.
    """
    gc.collect()
    gc.freeze()


def _request(set_id: str, subject: str, seed: int) -> RunRequest:
    return RunRequest(set_id, subject_named(set_id, subject, seed), seed=seed, tier="virtual")


@cache
def _shape(set_id: str, subject: str, seed: int) -> Shape | None:
    """The subject's healthy shape: one start in each worker, for all scenarios that it plays there."""
    rows, suite = _loaded(set_id)
    return shape_learnt(_request(set_id, subject, seed), rows, suite)


def play_cell(cell: Cell) -> Told:
    """Play it and judge its trace. Called in workers."""
    rows, suite = _loaded(cell.set_id)
    with tempfile.TemporaryDirectory(prefix="brokercert-matrix-", dir=MEMORY) as folder:
        request = _request(cell.set_id, cell.subject, cell.seed)
        shape = _shape(cell.set_id, cell.subject, cell.seed)
        played = play_alone(suite.by_name(cell.scenario), request, rows, "matrix", Path(folder), shape)
    said: dict[str, str] = {}
    findings = judge_trace(played.trace, rows, suite.dialect.judging)
    for row in sorted({finding.requirement for finding in findings}):
        said[row] = worst((f.verdict for f in findings if f.requirement == row), rows.by_id[row].level).value
    refuted = untrue(played.trace, findings)
    later = spread(played.trace)
    if later is not None:
        refuted += untrue(later, judge_trace(later, rows, suite.dialect.judging))
    _keep()
    return Told(cell, said, played.result.state, played.result.note, tuple(dict.fromkeys(refuted)))
