"""What a run is said to play is what it plays, cells in virtual time among it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.ask.config import Config
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.scenario import Suite, load_suite
from brokercert.engine.run import crew, plan
from brokercert.engine.run.run import Quiet, RunRequest, certify, plan_for
from brokercert.requirements import load_set

SET = "tradovate-stage2"
ROWS, SUITE = load_set(SET), load_suite(SET)
GRID = "REC-110"
CELLS = {s.name for s in SUITE.scenarios if GRID in s.exercises and s.cell}
REFERENCE = Config().subject(ROWS, reference=True)


class Told(Quiet):
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ends: list[str] = []

    def planned(self, whom: str, names: Sequence[str], predicted: float) -> None:
        self.names = list(names)

    def ended(self, name: str, state: str) -> None:
        self.ends.append(name)


def test_the_cells_that_follow_in_virtual_time_are_planned_for_the_reference_client_alone() -> None:
    request = RunRequest(SET, REFERENCE, only=(GRID,))
    ours = plan_for(request, ROWS, SUITE)
    assert set(ours.names) == {"preflight", *CELLS} and len(ours.names) == len(CELLS) + 1
    other = plan_for(replace(request, subject=SubjectSpec("other", ("bot",), offers=REFERENCE.offers)), ROWS, SUITE)
    assert set(other.names[1:]) == {s.name for s in ours.waiting} < CELLS, "of another client it plays the sample"
    assert other.predicted < ours.predicted < other.predicted + 30, "they cost seconds, and are said to"


def test_a_client_that_needs_time_to_start_takes_longer_and_is_said_to() -> None:
    known = plan_for(RunRequest(SET, REFERENCE), ROWS, SUITE)
    sleeps, works = StartGate(0.1), StartGate(20.0)
    assert known.starting_in(0.0, sleeps).predicted == known.predicted
    alone = 20 * len(known.exclusive)
    for gate, held in ((sleeps, sleeps.LEAST), (works, 20.0)):
        slow = known.starting_in(20.0, gate)
        waits = (len(known.waiting) - 1) // gate.AT_ONCE * held
        assert slow.held == held and slow.predicted >= known.predicted + alone + 20
        assert slow.predicted >= alone + waits + 20 + known.waiting[-1].lasts, "the last one to start is awaited too"


def test_what_ends_is_what_was_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = sorted(CELLS)[:3]

    async def unplayed(*_: Any) -> None:
        """Real time is not what is asked about."""

    monkeypatch.setattr(plan, "sampled", lambda cells, seed: [s for s in cells if s.name not in later])
    monkeypatch.setattr(crew, "play", unplayed)
    monkeypatch.setattr(Suite, "preflight", None)
    told = Told()
    asyncio.run(certify(RunRequest(SET, REFERENCE, only=(GRID,), out=tmp_path), told))
    assert told.ends == [name for name in told.names if name in later], "as many as were planned, and no others"
    assert sorted(told.ends) == later and set(told.names) == CELLS
