"""No circle of files: of the mock and of the harness, each can be read, and handed on, without the rest.

Imports that are there for types alone count too: what a file must know to be read is what it imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAIR = 2  # files that may know each other, as a broker and what shows it
ROOMS = {
    "brokercert_mock": ROOT / "mock_server" / "brokercert_mock",
    "brokercert": ROOT / "harness" / "brokercert",
}
# The pairs of the harness, each with its reason.
PAIRS = {
    ("brokercert.pytest_items", "brokercert.pytest_status"): "an item is shown by its status, and has one",
    ("brokercert.reference.tradovate.client", "brokercert.reference.tradovate.commands"): (
        "a command is answered by the client that was given it"
    ),
}
SHARED = ("brokercert_mock.port",)  # rooms of every dialect, which name none
DIALECTS = tuple(
    sorted(
        f"brokercert_mock.{path.name}"
        for path in ROOMS["brokercert_mock"].iterdir()
        if (path / "__init__.py").is_file() and path.name != "port"
    )
)


def files(package: str, root: Path) -> dict[str, Path]:
    """Each module of a package, by its name. A package's own `__init__` has the package's name."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = [package, *path.relative_to(root).with_suffix("").parts]
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """Every name that a file imports, wherever in it the line stands; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: expected an import by full name; write it out"
            for alias in node.names:
                yield node.module
                yield f"{node.module}.{alias.name}"


def graph(modules: Mapping[str, Path]) -> dict[str, set[str]]:
    """Which of the modules each imports. `from package import module` is an import of the module alone."""
    edges = {}
    for name, path in modules.items():
        found = {one for one in imported(path) if one in modules and one != name}
        edges[name] = {one for one in found if not any(other.startswith(f"{one}.") for other in found)}
    return edges


def circles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The strongly connected components of more than one file."""
    reached = {name: _reached(edges, name) for name in edges}
    found = {frozenset(two for two in reached[one] if one in reached[two]) for one in edges}
    return sorted(sorted(group) for group in found if len(group) > 1)


def _reached(edges: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """What is imported from there, and from what that imports, and so on."""
    found: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += edges[name]
    return found


@pytest.mark.parametrize("package", ROOMS)
def test_no_circle_of_files_is_longer_than_a_pair(package: str) -> None:
    edges = graph(files(package, ROOMS[package]))
    assert len(edges) > 10 and sum(map(len, edges.values())) > len(edges), "the graph was not read"
    long = [circle for circle in circles(edges) if len(circle) > PAIR]
    assert not long, f"hand each file what it needs (a callable, a protocol, the ground) instead: {long}"


def test_the_harness_has_these_pairs_only() -> None:
    assert circles(graph(files("brokercert", ROOMS["brokercert"]))) == sorted(map(list, PAIRS))


def test_a_scenario_is_played_without_knowing_of_a_run() -> None:
    rooms = tuple(f"brokercert.engine.{room}." for room in ("ask", "client", "machine", "play"))
    edges = graph(files("brokercert", ROOMS["brokercert"]))
    below = {name for name in edges if name.startswith(rooms)}
    assert below, "the rooms of the engine have other names"
    assert not {one for name in below for one in edges[name] if one.startswith("brokercert.engine.run.")}


@pytest.mark.parametrize("room", SHARED)
def test_what_all_brokers_share_imports_none(room: str) -> None:
    assert DIALECTS, "no dialect was found"
    for name, path in files("brokercert_mock", ROOMS["brokercert_mock"]).items():
        if name == room or name.startswith(f"{room}."):
            leaks = sorted(one for one in imported(path) if one.startswith(DIALECTS))
            assert not leaks, f"{name} imports {leaks}; move what it needs into {room}, or have it handed over"


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_circle_is_found_whatever_hangs_on_it(length: int) -> None:
    ring = {f"r{n}": [f"r{(n + 1) % length}", "leaf"] for n in range(length)}
    edges = {**ring, "leaf": [], "root": ["r0"], "alone": []}
    assert circles(edges) == [sorted(ring)]


def test_an_import_for_types_alone_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.b import B\n")
    (tmp_path / "b.py").write_text("def f():\n    from p import a\n")
    (tmp_path / "__init__.py").write_text("import p.a\nimport p.b\n")
    edges = graph(files("p", tmp_path))
    assert edges == {"p": {"p.a", "p.b"}, "p.a": {"p.b"}, "p.b": {"p.a"}}
    assert circles(edges) == [["p.a", "p.b"]]
