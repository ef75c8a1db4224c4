"""A client that never came in the preflight: one row fails by the trace alone, every other is blocked by it."""

from __future__ import annotations

import pytest
from brokercert.engine.play.scenario import load_dialect, load_suite
from brokercert.judge import judge_trace, never_came, not_reached
from brokercert.requirements import available_sets, load_set
from brokercert.trace import Shape, Trace
from brokercert.trace import records as r
from brokercert.verdict import Verdict
from msgspec.structs import replace
from traces import header

SECOND = 1_000_000
HEAD = r.Head(t=SECOND, conn=1, method="GET", target="/", headers=(), upgrade=True)
PATIENT = 40 * SECOND  # longer than either set awaits a client


def trace_of(set_id: str, *records: r.Body, before_all: bool = True) -> Trace:
    told = header(
        set_id, tier="real", clock="monotonic", scenario="preflight", exercises=(load_set(set_id).first,),
        before_all=before_all,
    )  # fmt: skip
    return Trace(told, [r.SubjectStarted(t=0), *records], truncated=False)


def left(t: int) -> r.SubjectExited:
    return r.SubjectExited(t=t, code=1, asked=False)


@pytest.mark.parametrize("set_id", available_sets())
@pytest.mark.parametrize(
    ("records", "before_all", "ends"),
    [
        ((left(SECOND // 10),), True, True),
        ((r.StopAsked(t=PATIENT, how="signal", judged=False),), True, True),
        ((r.Accepted(t=SECOND, conn=1), r.StopAsked(t=PATIENT, how="signal", judged=False)), True, True),
        ((left(SECOND // 10),), False, False),  # any other scenario: it is one among many
        ((r.StopAsked(t=SECOND, how="signal", judged=False),), True, False),  # watched too briefly to say
        ((r.Accepted(t=SECOND, conn=1), HEAD, left(2 * SECOND)), True, False),  # it came, whatever came then
    ],
)
def test_a_run_ends_only_where_the_preflight_shows_that_the_client_never_came(
    set_id: str, records: tuple[r.Body, ...], before_all: bool, ends: bool
) -> None:
    rows = load_set(set_id)
    trace = trace_of(set_id, *records, before_all=before_all)
    findings = judge_trace(trace, rows, load_dialect(set_id).judging)
    assert never_came(trace, findings, rows) is ends
    if ends:
        assert [(one.requirement, one.verdict) for one in findings] == [(rows.first, Verdict.FAIL)]


@pytest.mark.parametrize("set_id", available_sets())
def test_a_second_look_in_which_nobody_comes_ends_no_run_and_fails_the_row(set_id: str) -> None:
    """It is looked at where the client had come in the first one."""
    rows = load_set(set_id)
    trace = trace_of(set_id, left(SECOND // 10))
    trace = replace(trace, header=replace(trace.header, shape=Shape(lanes=())))
    findings = judge_trace(trace, rows, load_dialect(set_id).judging)
    assert not never_came(trace, findings, rows)
    assert [(one.requirement, one.verdict) for one in findings] == [(rows.first, Verdict.FAIL)]


@pytest.mark.parametrize("set_id", available_sets())
def test_what_was_not_played_is_blocked_but_for_what_the_client_does_not_offer(set_id: str) -> None:
    rows, suite = load_set(set_id), load_suite(set_id)
    exercises = {one.name: one.exercises for one in suite.scenarios}
    found = not_reached(rows, exercises, {"wire"}, {"report": "none", "snapshot": "none"})
    assert {(one.scenario, one.requirement) for one in found} == {
        (name, row) for name, asked in exercises.items() for row in asked if row != rows.first
    }
    for one in found:
        lacks = [need for need in rows.by_id[one.requirement].needs if need != "wire"]
        if not lacks:
            assert one.verdict is Verdict.BLOCKED and one.blocked_by == rows.first
        elif set(lacks) & {"report", "snapshot"}:
            assert one.verdict is Verdict.NOT_APPLICABLE
        else:
            assert one.verdict is Verdict.NOT_OBSERVED and ", ".join(lacks) in one.observed


@pytest.mark.parametrize("set_id", available_sets())
def test_every_suite_has_one_preflight_of_the_row_that_asks_for_the_connection(set_id: str) -> None:
    suite = load_suite(set_id)
    (one,) = [scenario for scenario in suite.scenarios if scenario.before_all]
    assert suite.preflight is one and one.exercises == (load_set(set_id).first,)
    assert (one.needs, one.path, one.settings, one.env) == (("wire",), "direct", {}, {}), "nothing is wrong in it"
    assert one.lasts <= 7, "a client that is well pays little for it: a few seconds, to see all that it opens"
