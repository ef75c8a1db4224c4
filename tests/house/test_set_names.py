"""No text is made of a set's id but where an id is meant: a user would take an id without an edition for the newest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("harness/brokercert", "reports/brokercert_reports", "scenarios/brokercert_scenarios", "mock_server", "tools")
SETS = ("rows", "asked", "requirements", "one_set")  # what a set is called in the code
MEANT = {  # file -> why its texts have ids
    "harness/brokercert/requirements/load.py": "entry points and set.toml have ids",
    "harness/brokercert/requirements/editions.py": "two sets of one name are told apart by them",
    "harness/brokercert/sources/pinned.py": "it names a set.toml",
    "harness/brokercert/engine/play/dialect.py": "an entry point's",
    "harness/brokercert/engine/play/scenario.py": "an entry point's",
    "harness/brokercert/engine/run/manifest.py": "a manifest is looked up by it",
    "harness/brokercert/parcel/check.py": "it names the field of a record whose set is not installed",
    "harness/brokercert/parcel/pack.py": "the name of a JUnit file, which is an address",
    "harness/brokercert/parcel/statement.py": "a statement is for programs",
    "harness/brokercert/pytest_plugin.py": "a marker's set has no edition",
    "harness/brokercert/seal.py": "hashed",
    "harness/brokercert/verdict.py": "its callers give the name: `concluded`",
    "reports/brokercert_reports/junit.py": "the names of suites and classes are addresses",
    "reports/brokercert_reports/write.py": "the name of a JUnit file, which is an address",
    "tools/edits.py": "the ids of parametrised tests",
}


def ids_in(path: Path) -> Iterator[int]:
    """The lines of texts into which an id is put as it is: alone in its braces."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FormattedValue) and _is_id(node.value):
            yield node.lineno


def _is_id(value: ast.expr) -> bool:
    if isinstance(value, ast.Name):
        return value.id == "set_id"
    if isinstance(value, ast.Attribute):
        return value.attr == "set_id" or (
            value.attr == "id" and isinstance(value.value, ast.Name) and value.value.id in SETS
        )
    return False


def files() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path


def test_a_text_names_a_set_by_its_name() -> None:
    wrong = [f"{name}:{line}" for name, path in files() if name not in MEANT for line in ids_in(path)]
    assert not wrong, f"expected the set's `name`, or the file in MEANT with the reason: {wrong}"


def test_each_exception_is_needed() -> None:
    there = {name for name, path in files() if list(ids_in(path))}
    assert set(MEANT) - there == set()
