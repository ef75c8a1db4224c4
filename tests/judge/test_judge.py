"""From findings to rows: what silence means, whose failure blocks whom, and what was not played or not asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from brokercert.engine.play.scenario import load_dialect
from brokercert.judge import judge_rows, judge_trace
from brokercert.judge.check import Check
from brokercert.judge.silence import NOTHING_TO_JUDGE
from brokercert.judge.tradovate.bench import Bench
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.trace import records as r
from brokercert.trace import trace_of
from brokercert.verdict import Finding, Form, Verdict
from traces import header

ROWS = load_set("tradovate-stage2")
JUDGING = load_dialect("tradovate-stage2").judging
FIRST = "LOG-010"  # the row that all others presuppose in the end: no client that does not connect is asked anything
FREE = next(row.id for row in ROWS.rows if not row.demanded_by and row.id not in (FIRST, ROWS.stability))
Says = Callable[[Bench], Iterator[Finding]]


def nothing(bench: Bench) -> Iterator[Finding]:
    yield from ()


def good(bench: Bench) -> Iterator[Finding]:
    yield bench.ok(Form.SHOWN, "as it should be", [1])


def bad(bench: Bench) -> Iterator[Finding]:
    yield bench.breach(Form.CONTENT, "this", "that")


def judged(
    *exercises: str, state: str = "completed", offers: tuple[str, ...] = ("wire",), absent: Any = None, **said: Says
) -> dict[str, tuple[str, str]]:
    """Row -> (verdict, blocked by) of a scenario that exercises these rows; `LOG_010=good` is a row's check."""
    found = findings_of(*exercises, state=state, offers=offers, absent=absent, **said)
    return {f.requirement: (str(f.verdict), f.blocked_by) for f in found}


def told_of(row: str) -> str:
    """What is said of a row whose check is silent, and which nothing blocks."""
    return findings_of(row, **{row.replace("-", "_"): nothing})[0].observed


def findings_of(
    *exercises: str, state: str = "completed", offers: tuple[str, ...] = ("wire",), absent: Any = None, **said: Says
) -> list[Finding]:
    checks = {row.replace("_", "-"): Check(row, function, "It is so.", "here:1") for row, function in said.items()}
    judging: Any = SimpleNamespace(checks=checks, bench=Bench, folded=JUDGING.folded, antecedents=JUDGING.antecedents)
    told = header(ROWS.id, exercises=exercises, offers=offers, absent=absent or {}, limits={})
    trace = trace_of(told, [r.SubjectStarted(t=0), r.Finished(t=1, state=state)])  # type: ignore[arg-type]
    return judge_trace(trace, ROWS, judging)


def test_what_a_check_says_is_said() -> None:
    assert judged("EVT-010", EVT_010=good) == {"EVT-010": ("pass", "")}
    assert judged("EVT-010", EVT_010=bad) == {"EVT-010": ("fail", "")}


def test_silence_is_no_pass() -> None:
    demanding = ROWS.by_id["EVT-010"].demanded_by
    assert demanding == "EVT-020"
    assert judged("EVT-010", EVT_010=nothing, EVT_020=nothing) == {"EVT-010": ("blocked", "EVT-020")}
    assert judged(FREE, **{FREE.replace("-", "_"): nothing}) == {FREE: ("not observed", "")}


def test_silence_is_blocked_by_a_failure_of_what_it_presupposes_which_is_told_too() -> None:
    chain = list(ROWS.demand_chain("EVT-010"))
    assert len(chain) > 1
    first = chain[-1] if chain[0] == "EVT-020" else chain[0]  # of the chain, not the row's own antecedent
    said = judged("EVT-010", EVT_010=nothing, EVT_020=nothing, **{first.replace("-", "_"): bad})
    assert said == {"EVT-010": ("blocked", first), first: ("fail", "")}


@pytest.mark.parametrize("set_id", own_sets())
def test_every_row_presupposes_in_the_end_that_the_client_connects(set_id: str) -> None:
    rows = load_set(set_id)
    assert rows.first and rows.by_id[rows.first].title.startswith("Connects ")


@pytest.mark.parametrize("row", [row.id for row in ROWS.rows if not row.demanded_by and row.id != FIRST])
def test_silence_of_a_client_that_never_connects_is_blocked_whatever_the_row(row: str) -> None:
    said = judged(row, **{row.replace("-", "_"): nothing}, LOG_010=bad)
    assert said == {row: ("blocked", FIRST), FIRST: ("fail", "")}


def test_the_reason_of_silence_never_names_an_antecedent_that_is_none() -> None:
    none = next(row for row in ROWS.rows if row.antecedent == "none" and row.id != FIRST)
    other = next(row for row in ROWS.rows if row.antecedent != "none" and not row.demanded_by)
    assert told_of(none.id) == NOTHING_TO_JUDGE
    assert told_of(other.id) == f"could not be asked: {JUDGING.antecedents[other.antecedent].missing}"


def test_a_row_that_passed_in_a_scenario_blocks_none_of_it() -> None:
    assert judged("EVT-010", EVT_010=nothing, EVT_020=good) == {"EVT-010": ("not observed", "")}


def test_a_presupposed_row_that_passes_is_not_told() -> None:
    assert judged("EVT-010", EVT_010=good, EVT_020=good) == {"EVT-010": ("pass", "")}


def test_a_broken_scenario_judges_nobody() -> None:
    assert judged("EVT-010", state="harness error", EVT_010=bad) == {"EVT-010": ("harness error", "")}


def test_a_row_without_a_check_is_untested() -> None:
    assert judged("EVT-010", EVT_020=good) == {"EVT-010": ("untested", "")}


def test_what_the_client_does_not_offer_is_not_judged() -> None:
    row = next(row for row in ROWS.rows if "report" in row.needs)
    check = {row.id.replace("-", "_"): bad}
    assert judged(row.id, **check) == {row.id: ("not observed", "")}
    assert judged(row.id, absent={"report": "it tells nothing"}, **check) == {row.id: ("not applicable", "")}
    assert judged(row.id, offers=tuple(row.needs), **check)[row.id] == ("fail", "")


def rows_of(verdict: Verdict | None, listed: tuple[str, ...], selected: tuple[str, ...] = ()) -> str:
    """The verdict of LOG-010, of which one finding came, in scenario `one`."""
    findings = [Finding(requirement="LOG-010", scenario="one", verdict=verdict, observed="")] if verdict else []
    results = judge_rows(ROWS, findings, listed={"LOG-010": listed}, in_part=(), selected=selected)
    return next(str(row.verdict) for row in results if row.id == "LOG-010")


@pytest.mark.parametrize(
    ("verdict", "listed", "selected", "expected"),
    [
        (Verdict.PASS, ("one",), (), "pass"),
        (Verdict.PASS, ("one", "two"), (), "untested"),
        (Verdict.FAIL, ("one", "two"), (), "fail"),
        (None, ("one",), (), "untested"),
        (None, (), (), "untested"),
        (Verdict.NOT_APPLICABLE, (), (), "untested"),
        (Verdict.PASS, ("one",), ("LOG-020",), "untested"),
        (Verdict.FAIL, ("one",), ("LOG-020",), "fail"),
        (Verdict.PASS, ("one",), ("LOG-010",), "pass"),
    ],
)
def test_a_rows_verdict_is_the_worst_over_all_that_is_listed_for_it(
    verdict: Verdict | None, listed: tuple[str, ...], selected: tuple[str, ...], expected: str
) -> None:
    assert rows_of(verdict, listed, selected) == expected
