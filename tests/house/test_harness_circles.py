"""No file of the harness needs, by whatever way round, itself: each can be read after those that it imports."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "harness"
# Two files that are read together, each with the reason.
PAIRS = {
    frozenset({"brokercert.pytest_items", "brokercert.pytest_status"}): "an item is shown by its status, and has one",
    frozenset({"brokercert.reference.tradovate.client", "brokercert.reference.tradovate.commands"}): (
        "a command is answered by the client that was given it"
    ),
}


def modules() -> dict[str, Path]:
    paths = (ROOT / "brokercert").rglob("*.py")
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imports() -> dict[str, set[str]]:
    """Module -> what it imports of ours: at its top, within a function, or for types alone."""
    known = modules()
    return {name: _imports_of(path, known) - {name} for name, path in known.items()}


def _imports_of(path: Path, known: Mapping[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inside & known.keys()) or {node.module or ""}
    return found & known.keys()


def circles(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """The sets of modules that reach each other."""
    reached = {name: _reached(name, graph) for name in graph}
    return {
        frozenset(other for other in reached[name] if name in reached[other]) for name in graph if name in reached[name]
    }


def _reached(name: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [name]
    while todo:
        new = graph[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


def test_a_scenario_is_played_without_knowing_of_a_run() -> None:
    rooms = tuple(f"brokercert.engine.{room}." for room in ("ask", "client", "machine", "play"))
    graph = imports()
    below = {name for name in graph if name.startswith(rooms)}
    assert below and not {one for name in below for one in graph[name] if one.startswith("brokercert.engine.run.")}


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(imports()) == set(PAIRS)


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, set()),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, {frozenset("abc")}),
        ({"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"c", "a"}}, {frozenset("ab"), frozenset("cd")}),
    ],
)
def test_a_circle_is_seen(graph: dict[str, set[str]], found: set[frozenset[str]]) -> None:
    assert circles(graph) == found
