"""Every failure that was seen in real clients (TP §11) has a mutant, or a reason why it has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from brokercert.mutants.tradovate import FAILURES, MUTANTS

PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "tradovate.md"
SECTION = PAGE.read_text("utf-8").split("\n## 11. ")[1].split("\n## ")[0]
ROWS = [int(number) for number in re.findall(r"^\| (\d+) \|", SECTION, re.MULTILINE)]


def test_the_table_has_the_rows_of_the_page() -> None:
    assert len(ROWS) == 28  # as many as TP §11 has: a pattern that finds none proves nothing
    assert list(dict.fromkeys(one.row for one in FAILURES)) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_a_failure_of_real_clients_has_its_mutant_or_its_excuse(row: int) -> None:
    parts = [one for one in FAILURES if one.row == row]
    assert len({one.says for one in parts}) == len(parts)
    for one in parts:
        assert bool(one.mutants) != bool(one.why_none), f"row {row}, {one.says}: either mutants or why there is none"
        assert set(one.mutants) <= set(MUTANTS)


def test_few_failures_are_excused() -> None:
    assert {one.row for one in FAILURES if one.why_none} == {18, 26, 28}
