"""The order of verdicts, over every pair: what a row says where its scenarios say different things."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from brokercert.judge import judge_rows
from brokercert.requirements import load_set
from brokercert.verdict import BREACHES, Finding, Level, Outcome, Verdict, outcome_of, sentence_of, worst

ROWS = load_set("tradovate-stage2")
MUST, SHOULD = "HBT-010", "HBT-020"
SILENT = (Verdict.BLOCKED, Verdict.UNTESTED, Verdict.INCONCLUSIVE, Verdict.NOT_OBSERVED)
PAIRS = tuple(permutations(Verdict, 2))


def judged(row: str, *verdicts: Verdict, **more: object) -> Verdict:
    """What is said of the row, of which a scenario each says one of these verdicts."""
    findings = [Finding(requirement=row, scenario=str(n), verdict=v, observed="") for n, v in enumerate(verdicts)]
    listed = {row: tuple(str(n) for n in range(len(verdicts)))}
    results = judge_rows(ROWS, findings, listed=listed, in_part=[row], **more)  # type: ignore[arg-type]
    return next(one.verdict for one in results if one.id == row)


@pytest.mark.parametrize(("level", "row"), [(Level.MUST, MUST), (Level.SHOULD, SHOULD)])
def test_a_row_says_the_worst_of_each_pair_whatever_came_first(level: Level, row: str) -> None:
    assert ROWS.by_id[row].level is level
    for one, other in PAIRS:
        said = judged(row, one, other)
        assert said is judged(row, other, one) is worst([one, other], level)
        assert said in (one, other)


@pytest.mark.parametrize(("level", "breach"), BREACHES.items())
def test_a_breach_is_hidden_by_nothing_but_our_own_break(level: Level, breach: Verdict) -> None:
    for other in set(Verdict) - {Verdict.HARNESS_ERROR, Verdict.FAIL}:
        assert worst([other, breach], level) is breach
    assert worst([Verdict.HARNESS_ERROR, breach], level) is Verdict.HARNESS_ERROR


@pytest.mark.parametrize("level", Level)
def test_silence_is_worse_than_praise_and_praise_than_nothing_to_judge(level: Level) -> None:
    for silent, praise in product(SILENT, (Verdict.PASS, Verdict.NOT_APPLICABLE)):
        assert worst([silent, praise], level) is silent
    assert worst([Verdict.PASS, Verdict.NOT_APPLICABLE], level) is Verdict.PASS
    assert worst([], level) is Verdict.UNTESTED


@pytest.mark.parametrize("silent", SILENT)
@pytest.mark.parametrize("row", [MUST, SHOULD])
def test_strict_sees_a_warning_beside_what_was_not_shown(row: str, silent: Verdict) -> None:
    findings = [
        Finding(requirement=row, scenario="one", verdict=Verdict.WARNING, observed=""),
        Finding(requirement=row, scenario="two", verdict=silent, observed=""),
        Finding(requirement="LOG-010", scenario="one", verdict=Verdict.PASS, observed=""),
    ]
    listed = {row: ("one", "two"), "LOG-010": ("one",)}
    results = judge_rows(ROWS, findings, listed=listed, in_part=[row, "LOG-010"])
    hidden = row == MUST and silent is Verdict.UNTESTED  # it was not asked, by whatever showed the warning
    if not hidden:
        outcome = outcome_of(results, strict=True)
        assert outcome is Outcome.FAILED
        said = sentence_of(outcome, results, subject="x", set_id=ROWS.id, part="")
        assert said.endswith(f"under --strict: warnings on {row}")
    assert outcome_of(results) is (Outcome.INCOMPLETE if row == MUST else Outcome.CERTIFIED)


@pytest.mark.parametrize(("row", "breach"), [(MUST, Verdict.FAIL), (SHOULD, Verdict.WARNING)])
def test_a_breach_of_a_row_that_was_not_asked_for_is_told(row: str, breach: Verdict) -> None:
    assert judged(row, breach, selected=("LOG-010",)) is breach
    for other in set(Verdict) - {breach, Verdict.HARNESS_ERROR, Verdict.FAIL}:
        assert judged(row, other, selected=("LOG-010",)) is Verdict.UNTESTED
