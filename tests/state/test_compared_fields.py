"""Every field in which states are compared has a broken client that fails by it: what is declared, holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from brokercert.cli.show import killers
from brokercert.matrix.subjects import mutants_of, subject_named
from brokercert.verdict import Verdict
from virtual_play import LISTED, SET, SUITE, findings_of

MUTANTS = {name: mutant for name, mutant in mutants_of(SET).items() if mutant.fields}
PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"


def test_no_compared_field_is_without_a_client_that_fails_by_it() -> None:
    table = killers(SUITE.dialect)
    assert set(table) == set(SUITE.dialect.judging.compared) and len(table) > 20
    assert [field for field, names in table.items() if not names] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_by_the_fields_that_it_declares(name: str) -> None:
    """In the scenarios of the rows that it must fail, played until all of them were seen."""
    mutant = MUTANTS[name]
    seen: set[str] = set()
    for scenario in (scenario for row in sorted(mutant.fails) for scenario in LISTED[row]):
        findings = findings_of(subject_named(SET, name), scenario)
        seen |= {x.clause for x in findings if x.verdict in (Verdict.FAIL, Verdict.WARNING)}
        if seen >= mutant.fields:
            return
    assert seen >= mutant.fields


def test_the_page_shows_each_field_and_its_clients() -> None:
    text = PAGE.read_text("utf-8")
    shown = re.search(r"<!-- fields: begin -->\n(.*)<!-- fields: end -->", text, re.DOTALL)
    table = ["| field | fails by it |", "| --- | --- |"]
    table += [
        f"| `{field}` | {', '.join(f'`{name}`' for name in names)} |" for field, names in killers(SUITE.dialect).items()
    ]
    assert shown and shown[1] == "\n".join(table) + "\n"
