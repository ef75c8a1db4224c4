"""The table behind `dev.py edits`: every edit still fits the sources, and every part of the judge has some."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.play.scenario import load_dialect
from brokercert.sets import own_sets

ROOT = Path(__file__).resolve().parents[2]
EDITS: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "edits.py"))
JUDGE = ROOT / EDITS["JUDGE"]
# (row, where its check stands): editions of a page may have a check each of one row.
CHECKS = {(row, one.source) for set_id in own_sets() for row, one in load_dialect(set_id).judging.checks.items()}


def test_every_edit_fits_and_changes_what_python_would_do() -> None:
    edits = EDITS["table"]()
    assert len(edits) >= 60 and len({edit.name for edit in edits}) == len(edits)
    for edit in edits:
        assert ast.dump(ast.parse(edit.text)) != ast.dump(ast.parse((JUDGE / edit.file).read_text())), edit.name


def test_every_file_with_a_check_has_edits() -> None:
    files = {edit.file for edit in EDITS["table"]()}
    checked = {path for path in JUDGE.rglob("*.py") if list(EDITS["checks_in"](path.read_text()))}
    missing = {path.relative_to(JUDGE).as_posix() for path in checked} - files
    assert not missing, (
        f"{', '.join(sorted(missing))}: no edits; write a part for each in tools/edits.toml, as its first lines say; "
        "try it: python3 dev.py edits --only FILE"
    )


def test_every_registered_check_is_silenced_once() -> None:
    """A check that says nothing is still a generator: it returns before its first statement."""
    rows = []
    for edit in EDITS["silenced"]():
        row = edit.weakens.split()[0]
        functions = dict(EDITS["checks_in"](edit.text))
        assert isinstance(functions[row].body[1], ast.Return)
        rows.append(row)
    assert sorted(rows) == sorted(row for row, _ in CHECKS)


@pytest.mark.parametrize("old", ["no such text", "bench"])
def test_an_edit_that_does_not_fit_is_an_error_that_says_what_to_do(old: str) -> None:
    with pytest.raises(
        EDITS["EditError"], match=r"connecting\.py: it: expected once, found \d+ times: .*write the edit anew"
    ):
        EDITS["edited"]((JUDGE / "tradovate/login/connecting.py").read_text(), "connecting.py: it", old, "other")


@pytest.mark.parametrize(
    ("file", "row", "other"),
    [
        ("tradovate/heartbeats/streams.py", "HBT-070", "LOG-010"),
        ("attempts.py", "AOR-010", "EVT-030"),
        ("arrow/model.py", "AOU-010", "LOG-010"),
    ],
)
def test_a_file_has_a_part_in_its_own_rows_and_in_those_of_whoever_imports_it(file: str, row: str, other: str) -> None:
    rows = EDITS["rows_of"](file)
    assert row in rows and other not in rows


def test_what_all_of_the_judge_builds_on_has_a_part_in_every_row() -> None:
    assert EDITS["rows_of"]("judge.py") == EDITS["rows_of"]("check.py") == {row for row, _ in CHECKS}
