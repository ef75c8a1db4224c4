"""Scenarios take the numbers of their rows from the set: by `stage.limit`, under a name that the set has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.requirements import load_set
from brokercert.sets import folder_name, own_sets

SCENARIOS = Path(__file__).parents[2] / "scenarios/brokercert_scenarios"
# Settings stand before there is a stage that could be asked: (scenario, setting) -> the limit that it is to equal.
SETTINGS = {("snapshot-large", "snapshot_bytes"): "snapshot_size"}


def _asked_for(suite: Path) -> Iterator[tuple[str, str]]:
    """(where, name) of every limit that a suite asks its stage for by a literal name."""
    for path in sorted(suite.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "limit":
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    yield f"{path.relative_to(SCENARIOS)}:{node.lineno}", str(name.value)


@pytest.mark.parametrize("set_id", own_sets())
def test_a_scenario_asks_for_limits_that_its_set_has(set_id: str) -> None:
    asked = list(_asked_for(SCENARIOS / folder_name(set_id).replace("-", "_")))
    unknown = [f"{where}: {name}" for where, name in asked if name not in load_set(set_id).limits]
    assert len(asked) > 10 and unknown == []


def test_a_setting_that_stands_for_a_limit_is_equal_to_it() -> None:
    suite, rows = load_suite("tradovate-stage2"), load_set("tradovate-stage2")
    for (scenario, setting), limit in SETTINGS.items():
        assert suite.by_name(scenario).settings[setting] == rows.limit(limit)
