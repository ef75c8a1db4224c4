"""The grid of faults and phases: complete, sampled with all of both, passed by the reference client; it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from brokercert.engine.client.subject import Factory, SubjectSpec
from brokercert.engine.play.grid import sampled
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.mutants.tradovate import MUTANTS
from brokercert.verdict import Verdict
from brokercert_reports.grid import grid_of

SET = "tradovate-stage2"
SUITE = load_suite(SET)
CELLS = [s for s in SUITE.scenarios if s.cell]
REFERENCE = SUITE.dialect.reference


def test_every_fault_stands_in_every_phase_or_says_why_not() -> None:
    seen = [(cell.fault, cell.phase) for cell in SUITE.cells]
    assert len(seen) == len(set(seen)) == len(SUITE.faults) * len(SUITE.phases)
    assert len(SUITE.faults) == 16 and len(SUITE.phases) == 10  # as the requirement and its faults are counted
    assert all(cell.left_out for cell in SUITE.left_out)
    assert all(set(s.exercises) == {"REC-110", "REC-115"} for s in CELLS)


@pytest.mark.parametrize("seed", range(20))
def test_a_sample_has_every_fault_and_every_phase_and_is_small(seed: int) -> None:
    chosen = sampled(CELLS, seed)
    assert {s.cell.fault for s in chosen if s.cell} == set(SUITE.faults)
    assert {s.cell.phase for s in chosen if s.cell} == set(SUITE.phases)
    assert len(chosen) == len({s.name for s in chosen}) <= len(SUITE.faults) + 2
    assert chosen == sampled(CELLS, seed)


def test_another_seed_plays_other_cells() -> None:
    assert len({tuple(s.name for s in sampled(CELLS, seed)) for seed in range(5)}) == 5


def _findings(factory: Factory, names: tuple[str, ...], out: Path) -> Mapping[tuple[str, str], str]:
    spec = SubjectSpec("subject", factory=factory, level="in process", offers=REFERENCE.offers)
    run = run_certification(RunRequest(SET, spec, tier="virtual", scenarios=names, out=out), Quiet())
    grid = grid_of(run)
    assert grid is not None and grid.sentence.startswith(f"{len(names)} of ")
    return {(f.requirement, f.scenario): str(f.verdict) for row in run.rows for f in row.findings}


def test_the_reference_client_passes_a_sample(tmp_path: Path) -> None:
    names = tuple(s.name for s in sampled(CELLS, 3))
    found = _findings(REFERENCE.factory(), names, tmp_path)
    assert len(found) == 2 * len(names) and set(found.values()) == {"pass"}


def test_a_defect_of_one_phase_fails_there_and_only_there(tmp_path: Path) -> None:
    names = ("grid-fin-steady", "grid-fin-half-snapshot", "grid-black-hole-penalty", "grid-half-open-up-before-sync")
    client = MUTANTS["believes-a-lost-sync-under-way"].client
    found = _findings(lambda env, output: client(env, output), names, tmp_path)
    assert found["REC-110", "grid-fin-steady"] == found["REC-115", "grid-fin-steady"] == Verdict.PASS
    for name in names[1:]:
        assert found["REC-110", name] == Verdict.FAIL
        # Blocked where it was not authorized again, and not observed where it was, and never synced.
        assert found["REC-115", name] in (Verdict.BLOCKED, Verdict.NOT_OBSERVED)
