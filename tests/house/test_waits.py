"""How long a scenario awaits a client is a limit of the set; how long it lets time pass has a name and a reason.

A number in a scenario beside a limit in the data fails a client that is slow and within the limit, and no user can set
it. So the patience of each wait comes from `limit`, or stands in PATIENT with its reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "scenarios" / "brokercert_scenarios"
FILES = sorted(ROOT.rglob("*.py"))
# What is awaited of a client, and which argument says for how long: its place, or the name `within`.
AWAITS = {
    "wait": 2,
    "wait_held": 0,
    "log_in": 0,
    "synced": -1,
    "connected": -1,
    "recovered": 1,
    "attempts": 1,
    "outcome": 1,
    "snapshot": 0,
    "ping": 0,
}
PATIENT = {
    "deliver.py PONG": "no row is about it: a library answers between two messages, and the marker behind it decides",
}


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _reads_limits(node: ast.AST) -> bool:
    return any(isinstance(x, ast.Call) and ast.unparse(x.func).endswith(".limit") for x in ast.walk(node))


def _names(node: ast.AST) -> set[str]:
    return {x.id for x in ast.walk(node) if isinstance(x, ast.Name)}


def _is_measured(node: ast.AST) -> bool:
    """It reads a limit, by itself or through a property of the stage that does."""
    return _reads_limits(node) or any(isinstance(x, ast.Attribute) and x.attr in MEASURED for x in ast.walk(node))


MEASURED = {f.name for path in FILES for f in _functions(ast.parse(path.read_text())) if _reads_limits(f)}


def _measured_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names of this function whose values come from limits: what it is given (whoever calls it is looked at too), what
    it makes of limits, and functions that read them.
    """
    given = function.args
    known = MEASURED | {arg.arg for arg in (*given.args, *given.kwonlyargs)} - {"stage", "self"}
    for _ in range(3):  # a name made of a name made of a limit
        for node in ast.walk(function):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                if _is_measured(node.value) or _names(node.value) & known:
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    known |= {name for target in targets for name in _names(target)}
    return known


def _patience(call: ast.Call) -> ast.expr | None:
    """The argument that says how long a client is awaited; None where the stage's own time is taken."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name not in AWAITS:
        return None
    named = next((word.value for word in call.keywords if word.arg == "within"), None)
    place = AWAITS[name]
    return named or (call.args[place] if 0 <= place < len(call.args) else None)


def _calls(path: Path) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Call]]:
    for function in _functions(ast.parse(path.read_text())):
        yield from ((function, node) for node in ast.walk(function) if isinstance(node, ast.Call))


def _unmeasured(path: Path) -> Iterator[str]:
    for function, call in _calls(path):
        within = _patience(call)
        if within is None or (isinstance(within, ast.Constant) and within.value is None):
            continue
        if not _is_measured(within) and not _names(within) & _measured_in(function):
            yield f"{path.name} {ast.unparse(within)}"


def test_a_client_is_awaited_for_as_long_as_a_limit_says() -> None:
    found = {text for path in FILES for text in _unmeasured(path)}
    assert found == set(PATIENT), "take the time from `stage.limit`, or list it in PATIENT with a reason"


def test_the_waits_are_found() -> None:
    assert sum(_patience(call) is not None for path in FILES for _, call in _calls(path)) > 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_time_that_passes_has_a_name_with_a_reason(path: Path) -> None:
    """`hold` lets time pass, for the length of an outage, say: such a number is a constant, its line says why."""
    for _, call in _calls(path):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "hold" and call.args:
            length = call.args[0]
            bare = [x for x in ast.walk(length) if isinstance(x, ast.Constant) and isinstance(x.value, int | float)]
            assert not bare or _names(length), (
                f"line {call.lineno}: hold({ast.unparse(length)}): give the number a name"
            )
    lines = path.read_text().splitlines()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and type(node.value.value) is float:
            assert "  # seconds" in lines[node.lineno - 1], f"line {node.lineno}: of what, and why so many?"
