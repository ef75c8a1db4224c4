"""A scenario that begins anew with another start of the client: what it is about, and what stands."""

from __future__ import annotations

from brokercert.judge import judge_trace
from brokercert.trace import Body, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from talks import JUDGING, ROWS
from traces import S, header, upgrade

PONG, LEAK = "CON-070", "LOG-090"
OURS: list[Body] = [r.StopAsked(t=30 * S, how="signal", judged=False), r.SubjectExited(t=31 * S, code=0, asked=True)]
ANEW: list[Body] = [r.Afresh(t=32 * S, text="it is not back"), r.SubjectStarted(t=32 * S, start=2)]
END: list[Body] = [r.StopAsked(t=60 * S, how="signal", judged=False), r.SubjectExited(t=61 * S, code=0, asked=True)]


def said_by(sender: r.Side, t: int, conn: int, text: str) -> r.Frame:
    return r.Frame(t=t, conn=conn, sender=sender, ordinal=0, opcode=1, text=text)


def logged_in(t: int, conn: int) -> list[Body]:
    return [
        *upgrade(t, conn),
        said_by("broker", t, conn, "o"),
        said_by("client", t + 1, conn, "authorize\n0\n\n«access-token#1»"),
        said_by("broker", t + 2, conn, 'a[{"s":200,"i":0}]'),
    ]


FIRST: list[Body] = [r.SubjectStarted(t=0), *logged_in(S, 1)]


def ping(t: int, conn: int, *, answered: bool = True) -> list[Body]:
    asked = r.Frame(t=t, conn=conn, sender="broker", ordinal=0, opcode=9, text="a")
    pong = r.Frame(t=t + 1000, conn=conn, sender="client", ordinal=0, opcode=10, text="a")
    return [asked, pong] if answered else [asked]


def judged(*records: Body) -> list[Finding]:
    end: list[Body] = [*END, r.Finished(t=62 * S, state="completed")]
    trace = trace_of(header("tradovate-stage2", exercises=(PONG,)), [*records, *end])
    return judge_trace(trace, ROWS, JUDGING)


def said(row: str, findings: list[Finding]) -> list[Verdict]:
    return [one.verdict for one in findings if one.requirement == row]


def test_the_fold_that_the_scenario_is_about_is_the_new_one() -> None:
    records = [*FIRST, *OURS, *ANEW, *logged_in(33 * S, 2)]
    talk = JUDGING.folded(trace_of(header("tradovate-stage2"), records))
    assert list(talk.connections) == [1] and list(talk.about.connections) == [2]
    alone = JUDGING.folded(trace_of(header("tradovate-stage2"), [*FIRST, *OURS]))
    assert alone.about is alone


def test_a_row_is_judged_by_what_came_from_there_on() -> None:
    shown = [*logged_in(33 * S, 2), *ping(35 * S, 2)]
    assert said(PONG, judged(*FIRST, *OURS, *ANEW, *shown)) == [Verdict.PASS]
    failed = [*logged_in(33 * S, 2), *ping(35 * S, 2, answered=False)]
    assert Verdict.FAIL in said(PONG, judged(*FIRST, *OURS, *ANEW, *failed))


def test_a_breach_from_before_stands_beside_a_later_pass() -> None:
    before = [*FIRST, *ping(3 * S, 1, answered=False), *OURS]
    after = [*logged_in(33 * S, 2), *ping(35 * S, 2)]
    assert sorted(said(PONG, judged(*before, *ANEW, *after))) == sorted([Verdict.FAIL, Verdict.PASS])


def test_what_was_shown_before_counts_where_nothing_is_shown_later() -> None:
    before = [*FIRST, *ping(3 * S, 1), *OURS]
    assert said(PONG, judged(*before, *ANEW, *logged_in(33 * S, 2))) == [Verdict.PASS]
    assert said(PONG, judged(*FIRST, *OURS, *ANEW, *logged_in(33 * S, 2))) == [Verdict.NOT_OBSERVED]


def test_an_invariant_is_held_before_too() -> None:
    leak = r.SubjectOutput(t=3 * S, stream="err", text="token «access-token#1»")
    found = judged(*FIRST, leak, *OURS, *ANEW, *logged_in(33 * S, 2), *ping(35 * S, 2))
    assert said(LEAK, found) == [Verdict.WARNING] and said(PONG, found) == [Verdict.PASS]
