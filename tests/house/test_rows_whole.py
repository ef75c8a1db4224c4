"""Every row of every set is whole: a scenario, a check, a mutant that must fail it, and an explanation."""

from __future__ import annotations

import importlib
from functools import cache

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.requirements import available_sets, load_set

_suite, _set = cache(load_suite), cache(load_set)
ROWS = [(name, row.id) for name in available_sets() for row in _set(name).rows]


@pytest.mark.parametrize(("set_id", "row_id"), ROWS, ids=[row for _, row in ROWS])
def test_a_row_has_all_that_it_needs(set_id: str, row_id: str) -> None:
    row = _set(set_id).by_id[row_id]
    suite = _suite(set_id)
    mutants = importlib.import_module(suite.dialect.mutants).MUTANTS
    has = {
        "a scenario": suite.listed().get(row_id),
        "a check": suite.dialect.judging.checks.get(row_id),
        "a mutant": [one.name for one in mutants.values() if row_id in one.fails],
        "what it means": row.means,
        "what usually causes a failure": row.causes,
        "how to mend it": row.mend,
    }
    missing = [name for name, there in has.items() if not there]
    assert not missing, f"{row_id}: write {', '.join(missing)}; where each goes: CONTRIBUTING.md, A row"
