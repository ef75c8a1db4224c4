"""REC-010 where connects leave no record: what was not seen is no breach, and what was seen in time passes."""

from __future__ import annotations

import pytest
from brokercert.judge.tradovate.reconnection.attempting import check_reconnect_in_time
from brokercert.trace import records as r
from traces import S, bench_of


def judged(down: str, up: str, back: float | None, until: float) -> list[str]:
    """A loss at 5 s as the way goes down, which comes up at 7 s; the next connection at `back`."""
    records: list[r.Body] = [
        r.Accepted(t=0, conn=1),
        r.UpgradeAnswer(t=0, conn=1, status=101),
        r.Frame(t=S, conn=1, sender="client", ordinal=1, opcode=1, text="authorize\n0\n\nt"),
        r.Frame(t=S, conn=1, sender="broker", ordinal=1, opcode=1, text='a[{"s":200,"i":0}]'),
        r.Fault(t=5 * S, requested=5 * S, name=down),
        r.Ended(t=5 * S, conn=1, by="broker", how="fin"),
    ]
    if up:
        records.append(r.Fault(t=7 * S, requested=7 * S, name=up))
    if back is not None:
        at = round(back * S)
        records += [
            r.Accepted(t=at, conn=2),
            r.Head(t=at, conn=2, method="GET", target="/", headers=(), upgrade=True),
        ]
    records.append(r.Step(t=round(until * S), text="the end"))
    bench = bench_of("tradovate-stage2", records, "REC-010", offers=())
    return [str(x.verdict) for x in check_reconnect_in_time(bench)]


@pytest.mark.parametrize(
    ("down", "up"), [("proxy-down", "proxy-up"), ("port-refused", "port-open"), ("port-unanswered", "port-open")]
)
def test_an_attempt_that_nobody_could_see_is_not_missed(down: str, up: str) -> None:
    assert judged(down, up, back=14, until=20) == ["pass"]
    assert judged(down, up, back=17, until=20) == ["not observed"], "it tried at once, in vain, and then waited 11 s"
    assert judged(down, up, back=None, until=90) == ["not observed"]
    assert judged(down, "", back=None, until=90) == ["not observed"], "the way is down to the end"


def test_where_connects_are_seen_a_late_one_is_late() -> None:
    assert judged("fin", "", back=17, until=20) == ["fail"]
    assert judged("fin", "", back=None, until=90) == ["fail"]
