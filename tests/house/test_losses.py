"""A loss hits every socket of a client at once, at one moment that is known: by one method of the stage."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokercert_mock import Connection

ROOT = Path(__file__).parents[2]
SUITES = ROOT / "scenarios/brokercert_scenarios"
ENDS = {"fin", "rst", "close", "go_silent", "half_open", "protocol_close", "stop_mid_frame"}  # of a broker's socket


def _by_hand(text: str) -> Iterator[int]:
    """The lines of loops over the broker's sockets that end each of them."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.For) or not ast.unparse(node.iter).endswith(".sockets()"):
            continue
        one = ast.unparse(node.target)
        called = (x.func for x in ast.walk(node) if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute))
        if any(x.attr in ENDS and ast.unparse(x.value) == one for x in called):
            yield node.lineno


@pytest.mark.parametrize("suite", sorted(p.name for p in SUITES.iterdir() if (p / "stage.py").exists()))
def test_no_scenario_ends_its_sockets_by_hand(suite: str) -> None:
    paths = sorted((SUITES / suite).rglob("*.py"))
    found = [f"{path.relative_to(ROOT)}:{line}" for path in paths for line in _by_hand(path.read_text())]
    assert found == [], "use `stage.lose_all(how)`, or `stage.lose(how)` right after an event"


def test_the_ways_to_end_a_socket_are_the_brokers_own() -> None:
    assert [name for name in sorted(ENDS) if not callable(getattr(Connection, name, None))] == []


@pytest.mark.parametrize(("does", "found"), [("fin()", [1]), ("close(1001, 'away')", [1]), ("send_ping()", [])])
def test_the_search_finds_a_loop_that_ends_and_no_other(does: str, found: list[int]) -> None:
    assert list(_by_hand(f"for one in stage.sockets():\n    one.{does}\n")) == found
