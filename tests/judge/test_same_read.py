"""What only a program in real time shows: frames that came in one read, and an attempt at the moment of a stop."""

from __future__ import annotations

import pytest
from brokercert.engine.play.scenario import load_dialect
from brokercert.trace import records as r
from brokercert.verdict import Finding
from traces import S, bench_of

MS = 1_000
SET = "tradovate-stage2"


def judged(row: str, records: list[r.Body]) -> list[Finding]:
    changed = {"tier": "real", "clock": "monotonic", "exercises": (row,), "offers": ("wire", "stop")}
    return list(load_dialect(SET).judging.checks[row].run(bench_of(SET, records, row, **changed)))


def frame(t: int, sender: r.Side, text: str, conn: int = 1) -> r.Frame:
    return r.Frame(t=t, conn=conn, sender=sender, ordinal=1, opcode=1, text=text)


def opened(t: int, conn: int = 1) -> list[r.Body]:
    head = r.Head(t=t, conn=conn, method="GET", target="/", headers=(), upgrade=True)
    return [
        r.Accepted(t=t, conn=conn),
        head,
        r.UpgradeAnswer(t=t, conn=conn, status=101),
        frame(t, "broker", "o", conn),
    ]


AUTHORIZE, SYNC = "authorize\n0\n\ntoken", 'user/syncrequest\n1\n\n{"entityTypes":["order"]}'


@pytest.mark.parametrize(("behind", "verdict"), [(0, "fail"), (S, "fail"), (5 * S, "pass")])
def test_a_sync_request_in_one_read_with_authorize_came_before_the_answer(behind: int, verdict: str) -> None:
    read, stop = S, S + 4 * S
    records = [
        *opened(0),
        frame(read, "client", AUTHORIZE),
        r.Withheld(t=read + MS, what="authorize", conn=1),  # the broker's turn comes after the read
        frame(read + behind, "client", SYNC),
        r.Released(t=stop, what="authorize", conn=1),
        frame(stop, "broker", 'a[{"s":200,"i":0}]'),
    ]
    if behind > stop - read:  # a record's place is the order in which it was told
        records.append(records.pop(records.index(frame(read + behind, "client", SYNC))))
    records.append(r.Finished(t=30 * S, state="completed", lag=0))
    assert [str(finding.verdict) for finding in judged("EVT-020", records)] == [verdict]


@pytest.mark.parametrize(
    ("leaves", "verdict"),
    [(None, "fail"), (12 * S, "pass")],
    ids=["stays", "leaves within the window"],
)
def test_an_attempt_under_way_at_a_stop_may_not_come_to_stay(leaves: int | None, verdict: str) -> None:
    asked = 10 * S
    records = [
        *opened(0),
        frame(S, "client", AUTHORIZE),
        frame(S, "broker", 'a[{"s":200,"i":0}]'),
        r.StopAsked(t=asked, how="signal"),
        r.Frame(t=asked, conn=1, sender="client", ordinal=2, opcode=8, text="", code=1000),
        r.Ended(t=asked, conn=1, by="client", how="fin"),
        *opened(asked + 600 * MS, 2),  # within a second: it may have been under way
    ]
    if leaves is not None:
        records.append(r.Ended(t=leaves, conn=2, by="client", how="fin"))
        records.append(r.SubjectExited(t=leaves, code=0, asked=True))
    records.append(r.Finished(t=asked + 16 * S, state="completed", lag=0))
    assert [str(finding.verdict) for finding in judged("OFF-010", records)] == [verdict]
