"""One name for an area: a row's id tells the folder of its text, its check, its scenarios, its mutants and its tests.

The areas are those of the set's `[areas]`: a name, and the prefix of its rows' ids. A row in another area's file is
refused when the set is loaded.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from brokercert.engine.play.scenario import Scenario, load_suite
from brokercert.requirements import RequirementError, load_set, parse_files
from brokercert.sets import folder_name, own_sets

TESTS = Path(__file__).parents[1] / "judge"
ASK = "write one, or lay it out by `dev.py new` (CONTRIBUTING.md, A row)"
HEALTHY = "steady"  # the healthy session: rows of every area are watched in it, so that it is no area's own

_suite, _set = cache(load_suite), cache(load_set)
SETS = own_sets()
ROWS = [(name, row.id) for name in SETS for row in _set(name).rows]
BY_ROW = pytest.mark.parametrize(("set_id", "row"), ROWS, ids=[row for _, row in ROWS])


def area_of(set_id: str, row: str) -> str:
    """The name of the area whose prefix the row's id begins with."""
    return next(name for name, area in _set(set_id).areas.items() if row.startswith(f"{area.rows}-"))


def lies_in(module: str, area: str) -> bool:
    return area in module.split(".")


def module_of(scenario: Scenario) -> str:
    """Where a scenario is written; one that a table makes is written where the table is."""
    play: Any = scenario.play
    return str((play.func if isinstance(play, functools.partial) else play).__module__)


def mutants_of(set_id: str) -> tuple[ModuleType, dict[str, Any]]:
    module = importlib.import_module(_suite(set_id).dialect.mutants)
    return module, module.MUTANTS


@pytest.mark.parametrize("set_id", SETS)
def test_a_text_in_the_file_of_another_area_is_refused(set_id: str) -> None:
    folder = files("brokercert.data").joinpath(folder_name(set_id))
    texts = {path.name: path.read_text("utf-8") for path in folder.glob("*.toml")}
    one, other = (f"{area}.toml" for area in list(_set(set_id).areas)[:2])
    with pytest.raises(RequirementError, match=f"{one}: .*: id; expected one of"):
        parse_files({**texts, one: texts[other], other: texts[one]}, name=set_id)


@BY_ROW
def test_its_check_lies_in_its_area(set_id: str, row: str) -> None:
    checks = _suite(set_id).dialect.judging.checks
    assert row in checks, f"{row}: no check; {ASK}"
    module = checks[row].source.partition(":")[0]
    assert lies_in(module, area_of(set_id, row)), f"{row}: move its check from {module}"


@BY_ROW
def test_a_scenario_of_its_area_exercises_it(set_id: str, row: str) -> None:
    suite = _suite(set_id)
    found = [suite.by_name(name) for name in suite.listed().get(row, ())]
    there = {s.name: module_of(s) for s in found}
    area = area_of(set_id, row)
    assert HEALTHY in there or any(lies_in(module, area) for module in there.values()), (
        f"{row}: no scenario in the area {area} exercises it; {ASK}; elsewhere: {there or 'none'}"
    )


@BY_ROW
def test_a_mutant_of_its_area_must_fail_it(set_id: str, row: str) -> None:
    there = {one.name: one.client.__module__ for one in mutants_of(set_id)[1].values() if row in one.fails}
    area = area_of(set_id, row)
    assert any(lies_in(module, area) for module in there.values()), (
        f"{row}: no mutant in the area {area} must fail it; {ASK}; elsewhere: {there or 'none'}"
    )


@pytest.mark.parametrize(("set_id", "area"), [(name, area) for name in SETS for area in _set(name).areas])
def test_the_tests_of_an_area_have_a_folder(set_id: str, area: str) -> None:
    folder = TESTS / _set(set_id).dialect / area
    assert list(folder.rglob("test_*.py")), (
        f"no test in {folder.relative_to(TESTS.parents[1])}: put those of {area} there"
    )


@pytest.mark.parametrize("set_id", SETS)
def test_a_scenario_lies_in_the_area_of_the_row_that_it_is_made_for(set_id: str) -> None:
    """That is the first of its rows; the healthy session lies with any of them."""
    wrong = {}
    for s in _suite(set_id).scenarios:
        made_for = s.exercises if s.name == HEALTHY else s.exercises[:1]
        areas = {area_of(set_id, row) for row in made_for}
        if not any(lies_in(module_of(s), area) for area in areas):
            wrong[s.name] = f"is in {module_of(s)}; move it to the area {' or '.join(sorted(areas))}"
    assert wrong == {}


@pytest.mark.parametrize("set_id", SETS)
def test_a_mutant_lies_in_the_area_of_the_first_row_that_it_must_fail(set_id: str) -> None:
    wrong = {}
    for one in mutants_of(set_id)[1].values():
        area = area_of(set_id, one.made_for)
        if not lies_in(one.client.__module__, area):
            wrong[one.name] = f"is in {one.client.__module__}; move it to the area {area}"
    assert wrong == {}


def _folders(package: ModuleType) -> Iterator[str]:
    for path in package.__path__:
        yield from (found.parent.name for found in Path(path).glob("*/__init__.py"))


@pytest.mark.parametrize("set_id", SETS)
def test_every_folder_of_scenarios_and_mutants_is_an_area(set_id: str) -> None:
    suite = importlib.import_module(module_of(_suite(set_id).scenarios[0]).rsplit(".", 2)[0])
    found = {*_folders(suite), *_folders(mutants_of(set_id)[0])}
    assert found and found <= set(_set(set_id).areas)
