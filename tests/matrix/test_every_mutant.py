"""Each known defect is caught by every row that it must fail, and the reference client passes every row: in pytest.

`brokercert matrix` asks for more: it plays every mutant, in every form, through every scenario of its rows, and nothing
else may fall. Here as few mutants as have every row fail are played, and each only until one scenario tells. So a check
that is removed turns a test red; one that has gone soft does so in the build's section of the matrix. `EVERY_MUTANT=1`:
all of them.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from functools import cache

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.matrix.cells import Cell, play_cell
from brokercert.matrix.subjects import REFERENCE, insiders, mutants_of, outside
from brokercert.requirements import available_sets, load_set

MUTANTS = [(set_id, name) for set_id in available_sets() for name in insiders(set_id)]


def shown(set_id: str, name: str) -> frozenset[str]:
    """The rows that it must fail, without those that only a process in real time can show: `dev.py certify`'s."""
    return frozenset(mutants_of(set_id)[name].fails - outside(set_id))


def few() -> list[tuple[str, str]]:
    """Mutants that have every row fail which any has: those with the most rows that are new first."""
    chosen: list[tuple[str, str]] = []
    left = {(set_id, row) for set_id, name in MUTANTS for row in shown(set_id, name)}
    while left:
        best = max(MUTANTS, key=lambda one: sum((one[0], row) in left for row in shown(*one)))
        chosen.append(best)
        left -= {(best[0], row) for row in shown(*best)}
    return sorted(chosen)


INSIDE = [one for one in MUTANTS if shown(*one)] if os.environ.get("EVERY_MUTANT") else few()
ROWS = [
    (set_id, row.id) for set_id in available_sets() for row in load_set(set_id).rows if row.id not in outside(set_id)
]

# A SHOULD clause of a MUST row: that the client is gone 15 s after it was asked to stop; that it tells of an error text
# inside a 200; that it rests on a new socket too, which it has after a loss; that a lock-out may begin with authorize,
# by a 429 with a text.
WARNED = {
    ("waits-for-the-servers-goodbye", "OFF-010"),
    ("hides-an-error-text-in-a-200", "LOG-045"),
    ("forgets-a-captcha-with-its-socket", "RLP-040"),
    ("logs-in-again-after-429", "RLP-070"),
    ("knows-429-without-a-text-only", "RLP-070"),
}

# A mutant may leave its old socket to the garbage collector: that is its defect, and nobody else's.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module", autouse=True)
def nothing_left_for_later_tests() -> Iterator[None]:
    yield
    gc.collect()


@cache
def verdicts(set_id: str, subject: str, scenario: str) -> dict[str, str]:
    return play_cell(Cell(set_id, subject, scenario)).verdicts


def scenarios(set_id: str, row: str) -> list[str]:
    """Those listed for a row; the grid's, of which there are many, last."""
    suite = load_suite(set_id)
    return sorted(suite.listed()[row], key=lambda name: suite.by_name(name).cell is not None)


def others(set_id: str, row: str) -> list[str]:
    """All that may break an invariant beside those listed for it; none of another row."""
    if load_set(set_id).by_id[row].kind != "invariant":
        return []
    return [one.name for one in load_suite(set_id).scenarios if one.cell is None]


@pytest.mark.parametrize(("set_id", "name"), INSIDE, ids=["-".join(one) for one in INSIDE])
def test_a_mutant_fails_every_row_that_it_must(set_id: str, name: str) -> None:
    rows = sorted(shown(set_id, name))
    for row in rows:
        due = "fail" if load_set(set_id).by_id[row].level == "MUST" and (name, row) not in WARNED else "warning"
        # A row that others presuppose, as stability, may fall in their scenarios alone.
        places = dict.fromkeys(place for one in (row, *rows) for place in scenarios(set_id, one))
        places |= dict.fromkeys(others(set_id, row))
        assert any(verdicts(set_id, name, scenario).get(row) == due for scenario in places), row


@pytest.mark.parametrize(("set_id", "row"), ROWS, ids=["-".join(one) for one in ROWS])
def test_the_reference_client_passes_every_row(set_id: str, row: str) -> None:
    suite = load_suite(set_id)
    plain = [name for name in scenarios(set_id, row) if suite.by_name(name).cell is None]
    for scenario in plain or scenarios(set_id, row)[:12]:
        assert verdicts(set_id, REFERENCE, scenario)[row] == "pass", scenario
