"""The kill matrix: each mutant is caught by a row that it must fail, and a difference from what is written is told.

All cells are played by `brokercert matrix`, as .ci/run does; here each mutant meets the scenarios of its rows only.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.defects import keep_score, matrix_hash, score_sentence, sources_of
from brokercert.matrix.cells import Cell, Due, Told, cells_of, play_cell
from brokercert.matrix.score import differences, score_of
from brokercert.matrix.subjects import REFERENCE, insiders, mutants_of, outside
from brokercert.mutants.register import Mutant, Register
from brokercert.reference.tradovate import ReferenceClient

SET = "tradovate-stage2"
MUTANTS = mutants_of(SET)
INSIDE = insiders(SET)
LISTED = load_suite(SET).listed()


@pytest.mark.parametrize("name", ["slow-authorize", "hangs-up-after-20-s", "first-message-only", "does-not-resync"])
def test_a_mutant_is_caught_and_its_original_is_not(name: str) -> None:
    row = sorted(MUTANTS[name].fails)[0]
    verdicts = [play_cell(Cell(SET, name, scenario)).verdicts[row] for scenario in LISTED[row]]
    assert "fail" in verdicts
    for scenario in LISTED[row]:
        assert play_cell(Cell(SET, REFERENCE, scenario)).verdicts[row] == "pass"


def test_cells_are_every_mutant_in_every_scenario_and_of_the_grid_a_sample() -> None:
    cells = cells_of(SET, (REFERENCE, *INSIDE))
    assert {cell.subject for cell in cells_of(SET)} == set(INSIDE)
    assert len(cells) == len(set(cells))
    scenarios = load_suite(SET).scenarios
    grid = {scenario.name for scenario in scenarios if scenario.cell}
    rest = {scenario.name for scenario in scenarios} - grid
    for name in (REFERENCE, *INSIDE):
        played = {cell.scenario for cell in cells if cell.subject == name}
        assert rest <= played
        if name == REFERENCE or MUTANTS[name].fails & {"REC-110", "REC-115"}:
            assert grid <= played
        else:
            here = [scenario.cell for scenario in scenarios if scenario.cell and scenario.name in played]
            every = [scenario.cell for scenario in scenarios if scenario.cell]
            assert len(here) < len(every) / 5
            assert {cell.fault for cell in here} == {cell.fault for cell in every}
            assert {cell.phase for cell in here} == {cell.phase for cell in every}


MEND = "mend the check, or write the row into the mutant's `fails` or `also`, if the row's text demands it"
ONE = Mutant("one", "One.", frozenset({"LOG-010", "LOG-020"}), {"EVT-010": "because"}, "why", ReferenceClient)
GOOD = Told(
    Cell(SET, "one", "s"), {"LOG-010": "fail", "LOG-020": "warning", "EVT-010": "fail", "MSG-010": "pass"}, "completed"
)


def told(**verdicts: str) -> Told:
    changed = {key.replace("_", "-"): value for key, value in verdicts.items()}
    return dataclasses.replace(GOOD, verdicts={**GOOD.verdicts, **changed})


def test_what_is_as_written_is_no_difference() -> None:
    assert differences([GOOD], {"one": ONE}) == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (told(LOG_010="pass"), "one: LOG-010 must fail, and does not: pass in s"),
        (told(LOG_010="blocked"), "one: LOG-010 must fail, and does not: blocked in s"),
        (told(EVT_010="pass"), "one: EVT-010 is to fall with it, and does not"),
        (told(MSG_010="fail"), f"one: MSG-010 fails in s, and nothing says why: {MEND}"),
        (told(MSG_010="warning"), f"one: MSG-010 fails in s, and nothing says why: {MEND}"),
        (dataclasses.replace(GOOD, state="harness error", note="broke"), "one in s: harness error: broke"),
        (told(MSG_010="harness error"), "one in s: completed: "),
    ],
)
def test_a_difference_is_told(changed: Told, says: str) -> None:
    assert differences([changed], {"one": ONE}) == [says]


def test_of_a_row_in_many_scenarios_three_are_told() -> None:
    many = [dataclasses.replace(told(LOG_010="pass"), cell=Cell(SET, "one", name)) for name in "abcde"]
    (said,) = differences(many, {"one": ONE})
    assert said == "one: LOG-010 must fail, and does not: pass in a, pass in b, pass in c and 2 more"


def test_the_reference_client_may_fail_nothing() -> None:
    fell = dataclasses.replace(GOOD, cell=Cell(SET, REFERENCE, "s"), verdicts={"LOG-010": "warning"})
    assert differences([fell], {"one": ONE}) == [
        "reference: LOG-010 fails in s, and nothing says why: mend the scenario or the check"
    ]


class Silent:
    pass


@pytest.mark.parametrize(
    ("name", "client", "fails", "said"),
    [
        ("one", ReferenceClient, "LOG-010", r"'one': stands twice, in brokercert\..*; .* rename one by its defect"),
        ("two", Silent, "LOG-010", r"'two': no docstring; expected its one defect"),
        ("two", ReferenceClient, "", r"'two': fails: empty; expected each row"),
    ],
)
def test_a_mutant_that_cannot_be_registered_says_what_to_do(name: str, client: type, fails: str, said: str) -> None:
    book = Register()
    book.mutant("one", "LOG-010", reason="why")(ReferenceClient)
    with pytest.raises(ValueError, match=said):
        book.mutant(name, fails, reason="why")(client)


def test_a_row_that_nothing_exercised_is_asked_of_nobody() -> None:
    rest = {row: verdict for row, verdict in GOOD.verdicts.items() if row != "LOG-020"}
    assert differences([dataclasses.replace(GOOD, verdicts=rest)], {"one": ONE}) == []


def test_the_score_counts_the_caught_and_names_what_it_was_made_of(tmp_path: Path) -> None:
    name = "slow-authorize"
    caught = Told(Cell(SET, name, "login-timed"), {"LOG-030": "fail"}, "completed")
    score = score_of(SET, [caught])
    suite = load_suite(SET)
    assert (score.killed, score.mutants, score.cells) == (1, len(INSIDE), 1)
    assert score.hash == matrix_hash(suite) and len(score.hash) == 16

    kept = tmp_path / "scores.json"
    assert "was not measured" in score_sentence(suite, kept)
    keep_score(score, kept)
    said = score_sentence(suite, kept)
    assert f"catches 1 of {len(INSIDE)} known defects" in said
    assert f"{len(mutants_of(SET)) - len(INSIDE)} more show only in a process" in said
    keep_score(msgspec.structs.replace(score, hash="0" * 16), kept)
    assert "was not measured" in score_sentence(suite, kept)


def test_every_source_that_a_cell_loads_is_part_of_what_its_score_names() -> None:
    cell = f"Cell({SET!r}, 'slow-authorize', 'login-timed')"
    play = f"from brokercert.matrix.cells import Cell, play_cell; play_cell({cell})"
    tell = "import sys; print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('brokercert')), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", f"{play}\n{tell}"], capture_output=True, text=True, timeout=60, check=True
    )
    sources = sources_of(load_suite(SET))
    loaded = {Path(line) for line in done.stdout.split()}
    assert len(loaded) > 50 and not loaded - set(sources.values())
    assert "brokercert/data/tradovate-stage2/limits.toml" in sources, "its limits"
    assert not any(name.startswith("brokercert/cli/") for name in sources), "what prints decides nothing"


def test_what_only_a_process_can_show_is_asked_of_no_client_inside() -> None:
    one = dataclasses.replace(ONE, fails=frozenset({"REC-100"}), knocks={})
    silent = dataclasses.replace(GOOD, verdicts={"REC-100": "not observed"})
    assert outside(SET) == {"REC-100", "EVT-150"} and differences([silent], {"one": one}) == []


def test_whoever_fails_what_only_a_process_can_show_is_played_as_one() -> None:
    assert [one.name for one in MUTANTS.values() if not one.process and one.fails <= outside(SET)] == []


def test_of_an_invariant_every_scenario_is_a_place_and_those_listed_come_first() -> None:
    due = Due("tradovate-stage2", "says-goodbye-in-latin-1")
    places = due.places("CON-060")
    assert places[0] == "steady" and "token-refused" in places
    assert Due("tradovate-stage2", "never-answers-pings").places("CON-070") == ["pings"]
