"""Each known defect is caught by every row that it must fail, and the reference client passes every row: in pytest.

`brokercert matrix` asks for more (what falls with a defect falls, and nothing else does) and plays all scenarios; here
a mutant plays those of a row only until one tells. So a check that is removed or has gone soft turns a test red.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import cache

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.matrix.cells import Cell, play_cell
from brokercert.matrix.subjects import REFERENCE, insiders, mutants_of, outside
from brokercert.requirements import available_sets, load_set

MUTANTS = [(set_id, name) for set_id in available_sets() for name in insiders(set_id)]
# Those that only a process in real time can show are for `dev.py certify` and tests/reference/test_mutants.py.
INSIDE = [(set_id, name) for set_id, name in MUTANTS if mutants_of(set_id)[name].fails - outside(set_id)]
ROWS = [
    (set_id, row.id) for set_id in available_sets() for row in load_set(set_id).rows if row.id not in outside(set_id)
]

# A SHOULD clause of a MUST row: that the client is gone 15 s after it was asked to stop; that it tells of an error text
# inside a 200; that it rests on a new socket too, which it has after a loss; that a lock-out may begin with authorize.
WARNED = {
    ("waits-for-the-servers-goodbye", "OFF-010"),
    ("hides-an-error-text-in-a-200", "LOG-045"),
    ("forgets-a-captcha-with-its-socket", "RLP-040"),
    ("logs-in-again-after-429", "RLP-070"),
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
    rows = sorted(mutants_of(set_id)[name].fails - outside(set_id))
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
