"""The comparison behind `dev.py repeat`: which changes of a verdict between runs count, and the load beside them."""

from __future__ import annotations

import multiprocessing
import runpy
from pathlib import Path

import pytest
from busy import busy

ROOT = Path(__file__).resolve().parents[2]
REPEAT = runpy.run_path(str(ROOT / "tools" / "repeat.py"))


UNSURE = REPEAT["UNSURE"]


@pytest.mark.parametrize(
    ("idle", "busy", "changed"),
    [
        ("pass", "pass", False),
        ("pass", "fail", True),
        ("pass", "inconclusive", True),  # a doubt about something else than a time
        ("pass", UNSURE, False),
        (UNSURE, "pass", True),  # on an idle machine nothing excuses it
        ("untested", "untested", False),
    ],
)
def test_a_changed_verdict_is_named(idle: str, busy: str, changed: bool) -> None:
    found = REPEAT["disagreements"]([(False, {"REC-010": idle}), (True, {"REC-010": busy})])
    assert found == ({"REC-010": [idle, busy]} if changed else {})


@pytest.mark.parametrize(
    ("verdict", "unit", "expected"),
    [("inconclusive", "s", UNSURE), ("inconclusive", "1", "inconclusive"), ("pass", "s", "pass")],
)
def test_a_doubt_about_a_time_is_told_from_others(verdict: str, unit: str, expected: str) -> None:
    row = {"verdict": verdict, "findings": [{"verdict": verdict, "measured": [{"unit": unit}]}]}
    assert REPEAT["told"](row) == expected


def test_a_load_is_gone_when_what_it_was_beside_is_over() -> None:
    before = set(multiprocessing.active_children())
    with pytest.raises(ZeroDivisionError), busy(2):
        crew = set(multiprocessing.active_children()) - before
        assert len(crew) == 2 and all(process.is_alive() for process in crew)
        raise ZeroDivisionError
    assert set(multiprocessing.active_children()) == before
    assert not any(process.is_alive() for process in crew)
