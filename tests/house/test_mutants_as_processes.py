"""`dev.py mutants`: which mutants it plays, and what it says of a busy machine. Nothing is played here."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.matrix.cells import Cell, Told
from brokercert.matrix.subjects import mutants_of
from brokercert.requirements import available_sets

FILE = Path(__file__).parents[2] / "tools" / "mutants.py"


@pytest.fixture(scope="module")
def verb() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants_as_processes", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SET, NAME = "tradovate-stage2", "never-syncs"  # must fail EVT-020, REC-110 falls with it
BUSY = {"EVT-020": "inconclusive"}


def settled(verb: ModuleType, *tries: dict[str, str], state: str = "completed") -> tuple[Any, int]:
    """What is said after plays that told these verdicts, one after the other, and how many there were."""
    turn = verb.Turn(SET, NAME, ("answer-held",))
    left = list(tries)

    async def play(_: Any) -> Sequence[Told]:
        return [Told(Cell(SET, NAME, "answer-held"), left.pop(0), state, "broke")]

    result = asyncio.run(verb.settle(turn, play))
    return result, len(tries) - len(left)


@pytest.mark.parametrize(
    ("tries", "played", "good"),
    [
        ([{"EVT-020": "fail"}], 1, True),
        ([{"EVT-020": "fail", "REC-110": "fail"}], 1, True),  # it falls with it
        ([BUSY, {"EVT-020": "fail"}], 2, True),
        ([BUSY, BUSY, {"EVT-020": "fail"}], 2, False),  # the machine may be busy once
        ([BUSY, {"EVT-020": "pass"}], 2, False),
        ([{"EVT-020": "pass"}, {"EVT-020": "fail"}], 1, False),  # no second try where it was shown
        ([{"EVT-020": "blocked"}], 1, False),
        ([{"EVT-020": "fail", "LOG-020": "fail"}], 1, False),  # nothing says why
        ([{"EVT-020": "fail", "LOG-020": "warning"}], 1, False),
        ([{"EVT-020": "fail", "LOG-020": "inconclusive"}], 1, True),  # of that row nothing is said
        ([{"LOG-020": "pass"}], 1, False),  # nothing was asked that it must fail
    ],
)
def test_a_busy_machine_is_no_verdict_and_no_excuse(
    verb: ModuleType, tries: list[dict[str, str]], played: int, good: bool
) -> None:
    result, count = settled(verb, *tries)
    assert (count, result.ok) == (played, good)


def test_what_was_not_shown_is_told_as_such(verb: ModuleType) -> None:
    result, _ = settled(verb, BUSY, BUSY)
    said = verb.line(verb.Turn(SET, NAME, ("answer-held",)), result, 3.0)
    assert said == f"NOT {NAME} ({SET}): EVT-020 was not shown in 2 tries: the machine was busy (3 s)"


def test_a_scenario_that_broke_is_told(verb: ModuleType) -> None:
    result, count = settled(verb, {"EVT-020": "fail"}, state="harness error")
    assert count == 1 and result.wrong == ("answer-held: harness error: broke",)


def test_mutants_of_every_set_are_played_and_whoever_needs_a_process(verb: ModuleType) -> None:
    played = {(turn.set_id, turn.name) for turn in verb.PLAN}
    assert len(played) == len(verb.PLAN)
    assert {set_id for set_id, _ in played} == set(available_sets())
    needing = {(set_id, name) for set_id in available_sets() for name, one in mutants_of(set_id).items() if one.process}
    assert needing <= played and len(played - needing) >= 10


def test_each_plays_what_it_must_fail_and_whoever_is_timed_plays_alone(verb: ModuleType) -> None:
    for turn in verb.PLAN:
        scenarios = [load_suite(turn.set_id).by_name(name) for name in turn.scenarios]
        must = mutants_of(turn.set_id)[turn.name].fails
        assert all(must & set(scenario.exercises) for scenario in scenarios), turn.name
        assert turn.alone == any("EVT-150" in s.exercises or s.name == "login-timed" for s in scenarios)


def test_a_name_that_is_not_played_is_refused(verb: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb.main(["nobody"]) == 2
    assert "nobody: expected one of" in capsys.readouterr().err
