"""Every row of every set is whole: a scenario, a check, a mutant that must fail it, and an explanation."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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


@pytest.mark.parametrize("set_id", available_sets())
def test_nothing_is_written_for_a_row_that_is_not_there(set_id: str) -> None:
    """A wrong letter in an id would be silent: the check judges nothing, and the mutant need not fail it. (An unknown
    row of a scenario is refused when the suite is loaded.)
    """
    suite, known = _suite(set_id), _set(set_id).by_id
    named = {row: f"the check at {check.source}" for row, check in suite.dialect.judging.checks.items()}
    for one in importlib.import_module(suite.dialect.mutants).MUTANTS.values():
        named |= {row: f"the mutant {one.name} of {one.client.__module__}" for row in one.fails | one.also}
    wrong = [f"{row}: named by {where}" for row, where in named.items() if row not in known]
    assert not wrong, f"no such row of {set_id}; correct the id, or write the row:\n" + "\n".join(wrong)


def taken(tree: ast.Module, name: str) -> set[str]:
    """The limits that a function takes by name, itself or through others of its module."""
    known = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    seen: set[str] = set()
    left = {name}
    while left:
        seen |= left
        words = {word.id for one in left for word in ast.walk(known[one]) if isinstance(word, ast.Name)}
        left = words & set(known) - seen
    return {limit for one in seen for limit in _limits(known[one])}


def _limits(node: ast.AST) -> Iterator[str]:
    for call in ast.walk(node):
        match call:
            case ast.Call(func=ast.Attribute(attr="limit" | "micros"), args=[ast.Constant(value=str(name)), *_]):
                yield name


@pytest.mark.parametrize(("set_id", "row_id"), ROWS, ids=[row for _, row in ROWS])
def test_a_row_names_each_limit_that_its_check_takes(set_id: str, row_id: str) -> None:
    """Else `brokercert explain` does not tell of it. What a check takes through another module is not looked at."""
    check = _suite(set_id).dialect.judging.checks[row_id]
    module = sys.modules[check.run.__module__]
    missing = taken(_tree(str(module.__file__)), check.run.__name__) - {*_set(set_id).by_id[row_id].limits}
    assert not missing, f"{row_id}: write into its `limits`: {', '.join(sorted(missing))}; {check.source} takes them"


@cache
def _tree(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text("utf-8"))


def test_a_limit_that_is_taken_through_a_neighbour_is_found() -> None:
    text = """
def check(bench):
    yield from near(bench)
def near(bench):
    return Span(bench.micros("near"), "word")
class Span:
    def __init__(self, bench):
        self.most = bench.limit("far")
def other(bench):
    return bench.limit("none of its own")
"""
    assert taken(ast.parse(text), "check") == {"near", "far"}
