"""The comparison behind `dev.py repeat`: which changes of a verdict between runs count."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPEAT = runpy.run_path(str(ROOT / ".ci" / "repeat.py"))


@pytest.mark.parametrize(
    ("row", "idle", "busy", "changed"),
    [
        ("REC-010", "pass", "pass", False),
        ("REC-010", "pass", "fail", True),
        ("REC-010", "pass", "inconclusive", True),  # no row about a latency
        ("LOG-030", "pass", "inconclusive", False),
        ("LOG-030", "inconclusive", "pass", True),  # on an idle machine nothing excuses it
        ("LOG-030", "pass", "fail", True),
        ("EVT-050", "untested", "untested", False),
    ],
)
def test_a_changed_verdict_is_named(row: str, idle: str, busy: str, changed: bool) -> None:
    found = REPEAT["disagreements"]([(False, {row: idle}), (True, {row: busy})])
    assert found == ({row: [idle, busy]} if changed else {})
