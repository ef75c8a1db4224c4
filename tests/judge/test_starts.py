"""A client that a scenario starts again: each start has a fold of its own, and the first one is judged alone."""

from __future__ import annotations

import pytest
from brokercert.engine.client.ended import how_it_ended
from brokercert.engine.client.lastwords import last_lines
from brokercert.engine.play.scenario import load_dialect
from brokercert.judge.told import told_in
from brokercert.trace import Body, trace_of
from brokercert.trace import records as r
from traces import S, header, upgrade

SET = "tradovate-stage2"


def frame(t: int, conn: int, sender: r.Side, text: str) -> r.Frame:
    return r.Frame(t=t, conn=conn, sender=sender, ordinal=0, opcode=1, text=text)


def logged_in(t: int, conn: int) -> list[Body]:
    return [
        *upgrade(t, conn),
        frame(t, conn, "broker", "o"),
        frame(t + 1, conn, "client", "authorize\n0\n\n«access-token#1»"),
        frame(t + 2, conn, "broker", 'a[{"s":200,"i":0}]'),
    ]


FIRST: list[Body] = [r.SubjectStarted(t=0), *logged_in(S, 1)]
OURS: list[Body] = [r.StopAsked(t=9 * S, how="signal", judged=False), r.SubjectExited(t=10 * S, code=0, asked=True)]
CRASH: list[Body] = [r.SubjectExited(t=9 * S, code=101, asked=False)]
LATE: list[Body] = [
    r.Ended(t=11 * S, conn=1, by="client", how="fin")
]  # the first start's socket, seen after the second one
SECOND: list[Body] = [
    r.SubjectStarted(t=11 * S, start=2),
    *LATE,
    *logged_in(12 * S, 2),
    r.Ended(t=13 * S, conn=2, by="broker", how="fin"),
]
STALL = r.Stall(t=15 * S, since=14 * S)
END: list[Body] = [
    r.StopAsked(t=20 * S, how="signal", judged=False),
    r.SubjectExited(t=21 * S, code=0, asked=True),
    r.Finished(t=22 * S, state="completed"),
]


@pytest.mark.parametrize("between", [OURS, CRASH], ids=["ended by us", "crashed"])
def test_the_first_start_is_folded_as_if_it_were_alone(between: list[Body]) -> None:
    both = load_dialect(SET).judging.folded(trace_of(header(SET), [*FIRST, *between, *SECOND, *END]))
    alone = load_dialect(SET).judging.folded(trace_of(header(SET), [*FIRST, *between]))
    assert list(both.connections) == list(alone.connections) == [1]
    assert (both.end, both.now, both.exited, both.died()) == (alone.end, alone.now, alone.exited, alone.died())
    assert both.connections[1].loss == alone.connections[1].loss
    assert both.finished is not None and both.finished.state == "completed"


def test_the_second_start_has_the_numbers_that_stand_in_the_trace() -> None:
    records = [*FIRST, *OURS, *SECOND, STALL, *END]
    talk = load_dialect(SET).judging.folded(trace_of(header(SET), records))
    again = talk.again
    assert again is not None and again.again is None and list(talk.starts) == [talk, again] and talk.newest is again
    assert again.started_record == records.index(SECOND[0]) + 1
    assert list(again.connections) == [2] and again.connections[2].accepted_record == records.index(SECOND[2]) + 1
    loss = again.connections[2].loss
    assert loss is not None and loss.record == records.index(SECOND[-1]) + 1
    assert talk.stalls == again.stalls == [(records.index(STALL) + 1, STALL)]


def test_a_third_start_follows_the_second() -> None:
    third = [r.SubjectStarted(t=30 * S, start=3), *logged_in(31 * S, 3)]
    talk = load_dialect(SET).judging.folded(trace_of(header(SET), [*FIRST, *OURS, *SECOND, *END[:2], *third, STALL]))
    folds = list(talk.starts)
    assert [list(one.connections) for one in folds] == [[1], [2], [3]]
    assert len({number for one in folds for number, _ in one.stalls}) == 1


def line(t: int, text: str) -> r.SubjectOutput:
    return r.SubjectOutput(t=t, stream="err", text=text)


@pytest.mark.parametrize(
    ("between", "ended", "words"),
    [(OURS, "exit 0 (asked to stop)", ("second",)), (CRASH, "exit 101 (not asked)", ("first",))],
)
def test_the_start_that_ended_unasked_is_the_one_that_a_reader_is_shown(
    between: list[Body], ended: str, words: tuple[str, ...]
) -> None:
    records = [*FIRST, line(8 * S, "first"), *between, *SECOND, line(19 * S, "second"), *END]
    assert how_it_ended(records) == ended
    assert last_lines(trace_of(header(SET), records)) == words


def test_the_lines_of_a_second_start_are_counted_from_one() -> None:
    wrong = r.SubjectReport(t=S, event="processed", body={"event": "processed"})
    told = told_in([*FIRST, wrong, wrong, *OURS, SECOND[0], wrong])
    assert [one.line for one in told.misfits] == [1, 2, 1]
