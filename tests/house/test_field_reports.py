"""The register of public failures: each entry names a row, and a client that has the same failure and fails the row."""

from __future__ import annotations

from collections import Counter

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.matrix.cells import Cell, play_cell
from brokercert.matrix.subjects import mutants_of, outside
from brokercert.mutants.tradovate.failures import FAILURES, UNREPORTED
from brokercert.requirements import RequirementError, available_sets, load_set, parse_files
from brokercert.sets import data_folder

SET = "tradovate-stage2"
REPORTS = load_set(SET).field_reports
PAIRS = sorted({(report.mutant, report.row) for report in REPORTS})


@pytest.mark.parametrize(("mutant", "row"), PAIRS)
def test_the_mutant_of_a_report_is_failed_by_its_row(mutant: str, row: str) -> None:
    assert row in mutants_of(SET)[mutant].fails
    if row in outside(SET) or mutants_of(SET)[mutant].process:
        return  # as a process of its own: `dev.py mutants` plays it
    due = "fail" if load_set(SET).by_id[row].level == "MUST" else "warning"
    suite = load_suite(SET)
    places = sorted(suite.listed()[row], key=lambda name: suite.by_name(name).cell is not None)
    assert any(play_cell(Cell(SET, mutant, place)).verdicts.get(row) == due for place in places)


def test_each_report_is_told_once_and_in_a_sentence() -> None:
    assert len(REPORTS) > 30
    assert max(Counter(report.title for report in REPORTS).values()) == 1
    assert max(Counter((report.address, report.row) for report in REPORTS).values()) == 1
    assert all(report.title[0].isupper() and not report.title.endswith(".") and report.kind for report in REPORTS)


def test_every_failure_of_the_protocol_page_that_has_a_mutant_is_reported() -> None:
    """But for those of which no mutant can be, or nobody has told in public (`failures.py`)."""
    due = {one.row for one in FAILURES if not one.why_none} - UNREPORTED
    assert {report.failure for report in REPORTS} - {None} == due
    for report in REPORTS:
        if report.failure is not None:
            assert report.mutant in {name for one in FAILURES if one.row == report.failure for name in one.mutants}


def test_a_row_tells_of_its_reports_and_of_no_other() -> None:
    for set_id in available_sets():
        rows = load_set(set_id)
        assert [report for row in rows.rows for report in row.others] == sorted(
            rows.field_reports, key=lambda report: list(rows.by_id).index(report.row)
        )
        assert all(report.row == row.id for row in rows.rows for report in row.others)


def test_a_report_changes_no_verdict() -> None:
    """The hash of a set says by which rows and limits a run was judged."""
    folder = data_folder(SET)
    assert folder is not None
    texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    without = parse_files({name: text for name, text in texts.items() if name != "field_reports.toml"}, name=SET)
    assert without.field_reports == () and without.hash == load_set(SET).hash


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("row", "REC-999", "expected a row of the set"), ("address", "somewhere", "begins with https://")],
)
def test_a_report_that_cannot_be_is_refused(field: str, value: str, said: str) -> None:
    folder = data_folder(SET)
    assert folder is not None
    texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    fields = {"title": "T", "kind": "k", "address": "https://example.org", "row": "REC-010", "mutant": "m"}
    lines = [f'{name} = "{text}"' for name, text in (fields | {field: value}).items()]
    texts["field_reports.toml"] = "\n".join(["[[report]]", *lines])
    with pytest.raises(RequirementError, match=said):
        parse_files(texts, name=SET)
