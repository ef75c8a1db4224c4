"""What all checks share: how a figure is held against its limit, what a breach is called, whose doing an end was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from brokercert.judge.check import CheckBook
from brokercert.judge.tradovate.bench import Bench
from brokercert.trace import Body
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Level, Measured
from traces import S, bench_of


def bench(*records: Body, level: Level = Level.MUST, calibration: dict[str, float] | None = None) -> Bench:
    changed = {"tier": "real", "clock": "monotonic", "limits": {}, "calibration": calibration or {}}
    found: Bench = bench_of("tradovate-stage2", records, "LOG-010", level, **changed)
    return found


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(4.7, "pass"), (4.9, "inconclusive"), (5.1, "inconclusive"), (5.3, "fail"), (40, "fail")],
)
def test_a_figure_nearer_to_its_limit_than_its_error_is_inconclusive(value: float, verdict: str) -> None:
    took = Measured(name="it", value=value, unit="s", limit=5, error=0.2, clock="monotonic")
    assert bench().against(took, observed="", expected="").verdict == verdict


@pytest.mark.parametrize(("level", "verdict"), [(Level.MUST, "fail"), (Level.SHOULD, "warning")])
def test_a_breach_fails_a_must_and_is_a_warning_of_a_should(level: Level, verdict: str) -> None:
    assert bench(level=level).breach(Form.CONTENT, "this", "that").verdict == verdict
    assert bench(level=level).warn(Form.CONTENT, "this", "that").verdict == "warning"


def test_evidence_is_chronological_and_without_repetition() -> None:
    assert bench().breach(Form.AGAIN, "this", "that", [7, 2, 7, 5]).evidence == (2, 5, 7)


@pytest.mark.parametrize("form", [Form.TIME, Form.ABSENCE])
def test_a_figure_says_whether_what_it_waited_for_came(form: Literal[Form.TIME, Form.ABSENCE]) -> None:
    over = Measured(name="it", value=9, unit="s", limit=5)
    assert bench().against(over, observed="", expected="", form=form).form is form


def test_what_the_client_left_by_itself_is_known_by_its_records() -> None:
    exited = r.SubjectExited(t=6 * S, code=1, asked=False)
    judged = bench(*LOGGED_IN, LEAVES, exited)
    assert judged.left(0) == [5, 6] and judged.left(5) == [6]
    assert bench(*LOGGED_IN, r.Ended(t=5 * S, conn=1, by="broker", how="fin")).left(0) == []


def test_the_error_of_a_time_is_the_round_trip_and_the_worst_lag_of_the_loop() -> None:
    known = {"round_trip_p99": 0.5, "lag_max": 30.0}  # ms
    assert bench().error == 0, "without a calibration the clock is exact"
    assert bench(calibration=known).error == pytest.approx(0.0305), "before the scenario's own lag is known"
    done = r.Finished(t=S, state="completed", lag=200_000)
    assert bench(done, calibration=known).error == pytest.approx(0.2005)


def stop(judged: bool) -> r.StopAsked:
    return r.StopAsked(t=5 * S, judged=judged, how="SIGTERM")


def test_only_the_harness_own_stop_ends_the_observation() -> None:
    later = r.Step(t=9 * S, text="later")
    assert bench(stop(True), later).end == 9 * S
    assert bench(stop(False), later).end == 5 * S


LOGGED_IN: tuple[Body, ...] = (
    r.Accepted(t=0, conn=1),
    r.UpgradeAnswer(t=0, conn=1, status=101),
    r.Frame(t=0, conn=1, sender="client", ordinal=1, opcode=1, text="authorize\n0\n\nt"),
    r.Frame(t=0, conn=1, sender="broker", ordinal=1, opcode=1, text='a[{"s":200,"i":0}]'),
)
LEAVES = r.Ended(t=5 * S, conn=1, by="client", how="fin")
FAULT = {"requested": 5 * S, "name": "silent-dead", "conn": 1}


@pytest.mark.parametrize(
    ("records", "unprovoked"),
    [
        ((LEAVES,), True),
        ((r.Fault(t=5 * S, **FAULT), LEAVES), False),  # type: ignore[arg-type]
        ((LEAVES, r.Fault(t=5 * S, **FAULT)), True),  # type: ignore[arg-type]
        ((r.Fault(t=5 * S, **FAULT), r.Ended(t=4 * S, conn=1, by="client", how="fin")), True),  # type: ignore[arg-type]
        ((r.Ended(t=5 * S, conn=1, by="broker", how="fin"),), False),
        ((), False),
    ],
    ids=[
        "for no reason",
        "after a fault",
        "before a fault of the same moment",
        "before a fault, and told after it",
        "the broker's doing",
        "it stays",
    ],
)
def test_an_end_is_unprovoked_where_nothing_came_before_it(records: tuple[Body, ...], unprovoked: bool) -> None:
    judged = bench(*LOGGED_IN, *records)
    assert judged.unprovoked(judged.talk.connections[1]) is unprovoked


def test_a_row_has_one_check_that_says_what_it_judges() -> None:
    book = CheckBook()

    def one(bench: Any) -> Iterator[Finding]:
        """It is so."""
        yield from ()

    def silent(bench: Any) -> Iterator[Finding]:
        yield from ()

    book.check("LOG-010")(one)
    assert book["LOG-010"].text == "It is so."
    with pytest.raises(ValueError, match="LOG-010 has two checks"):
        book.check("LOG-010")(one)
    with pytest.raises(ValueError, match="LOG-020 says nothing"):
        book.check("LOG-020")(silent)
