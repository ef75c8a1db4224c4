"""Conversations of Arrow with one quantity each, in seconds or a count: what stands on either side of a limit."""

from __future__ import annotations

from dataclasses import dataclass

from arrow_talks import ROWS
from arrow_talks import Talk as ArrowTalk
from brokercert.judge.transcript import SECOND as S
from brokercert.trace import records as r


def us(value: float) -> int:
    return round(value * S)


def ponged(value: float) -> ArrowTalk:
    talk = ArrowTalk(100)
    talk.asks(1, 1)
    talk.pongs(1, 31, 31 + value, 31 + 2 * value)
    return talk


def unanswered_ping(value: float) -> ArrowTalk:
    """A ping that is watched for so long, and never answered."""
    talk = ArrowTalk(20 + value)
    talk.asks(1, 1)
    talk.told.append(r.Frame(t=us(20), conn=1, sender="broker", ordinal=0, opcode=9, text="alive?"))
    return talk


def well_formed_for(value: float) -> ArrowTalk:
    talk = ArrowTalk(1 + value)
    talk.asks(1, 1)
    return talk


def arrow_ladder(*delays: float) -> ArrowTalk:
    talk = ArrowTalk(0)
    talk.asks(1, 1)
    talk.ends(10, 1)
    at = 10.0
    for number, delay in enumerate(delays, 2):
        at += delay
        talk.asks(at, number, status=503)
    talk.until = at + 60
    return talk


def arrow_silent(value: float) -> ArrowTalk:
    talk = ArrowTalk(300)
    talk.asks(1, 1)
    talk.pongs(1, 31, 61, 91)
    talk.says(1, "{}", 10, by="broker")
    talk.fault(10, "silent-application", conn=1)
    talk.told = [x for x in talk.told if not (isinstance(x, r.Frame) and x.t > us(10 + value))]
    talk.closes(10 + value, 1, "client", 1000)
    talk.asks(10 + value + 1, 2)
    return talk


def arrow_stop(left: float = 1, back_at: float = 0, until: float = 100) -> ArrowTalk:
    talk = ArrowTalk(20 + until)
    talk.asks(1, 1)
    talk.stop(20)
    talk.closes(20 + left, 1, "client", 1000)
    if back_at:
        talk.asks(20 + back_at, 2)
    return talk


def arrow_refused(count: float, until: float = 100) -> ArrowTalk:
    talk = ArrowTalk(until)
    for number in range(round(count)):
        talk.asks(1 + 4.9 * number, 1 + number, status=401)
    talk.report(2, "error", text="log in again")
    return talk


def arrow_stays_away(value: float) -> ArrowTalk:
    talk = ArrowTalk(10 + value, settings={"told": {"AUTO_RECONNECT": "false"}})
    talk.asks(1, 1)
    talk.ends(10, 1)
    return talk


def arrow_account(kind: str, *, sockets: float = 1, reconnects: float = 2) -> ArrowTalk:
    talk = ArrowTalk(200, settings={"account": kind})
    for number in range(round(sockets)):
        talk.asks(1, number + 1)
    talk.ends(10, 1)
    for number in range(round(reconnects)):
        talk.asks(11 + number, 100 + number, status=101 if number == round(reconnects) - 1 else 503)
    return talk


def arrow_tries(count: float, quiet: float = 60) -> ArrowTalk:
    talk = arrow_ladder(*[10] * round(count))
    talk.settings = {"told": {"RECONNECT_MAX_DELAY": "10"}}
    talk.raised("noreconnect", 10 + 10 * round(count) + 1)
    talk.until = 10 + 10 * round(count) + quiet
    return talk


def never_tried(value: float) -> ArrowTalk:
    """No attempt at all, watched for so long beyond the longest delay and its slack of a tenth."""
    talk = arrow_ladder()
    talk.until = 10 + 11 + value
    return talk


def stopped_trying(value: float) -> ArrowTalk:
    """After 4 tries of 4, watched for so long beyond the longest delay and its slack."""
    talk = ArrowTalk(0, settings={"told": {"RECONNECT_MAX_TRIES": "4", "RECONNECT_MAX_DELAY": "10"}})
    talk.asks(1, 1)
    talk.ends(10, 1)
    for number in range(4):
        talk.asks(11 + number, 2 + number, status=503)
    talk.raised("noreconnect", 14.5)
    talk.until = 14 + 11 + value
    return talk


def rungs_seen(count: float) -> ArrowTalk:
    return arrow_ladder(*(1, 2, 4, 8, 10, 10)[: round(count)])


def late_rung(value: float) -> ArrowTalk:
    """A second delay that is so much later than a busy machine explains nothing of: 2 s and its slack of 0.25 s."""
    return arrow_ladder(1, 2 + 0.25 + value, 4, 8, 10)


def given_up_and_not_back(value: float) -> ArrowTalk:
    """Watched for so long after it gave a silent socket up."""
    talk = arrow_silent(35)
    talk.told = [x for x in talk.told if not (isinstance(x, r.Accepted | r.Head | r.UpgradeAnswer) and x.conn == 2)]
    talk.until = 10 + 35 + value
    return talk


def first_beat(value: float) -> ArrowTalk:
    """Its first `PONG` so long after the socket opened, and the next 30 s after that one."""
    talk = ArrowTalk(75)
    talk.asks(1, 1)
    talk.pongs(1, 1 + value, 31 + value, 61 + value)
    return talk


def believed(value: float) -> ArrowTalk:
    """Wrong, and asked for so long after the ledger."""
    talk = ArrowTalk(60)
    talk.asks(1, 1)
    order = {"orderStatus": "OPEN", "quantity": 10, "filledQuantity": 4, "pendingQuantity": 6, "averagePrice": 1.25}
    talk.ledger(10, "life", order={"1": order})
    talk.snapshot(10 + value, {})
    return talk


def cleared(value: float) -> ArrowTalk:
    """A finished order is in the map still, so long after its end."""
    talk = ArrowTalk(200)
    talk.asks(1, 1)
    talk.update(10, orderStatus="COMPLETE", filledQuantity=10, pendingQuantity=0)
    talk.snapshot(10 + value, {"1": {"orderStatus": "COMPLETE"}})
    return talk


def tracked_for(value: float) -> ArrowTalk:
    """An order that does not end; its tracking times out so long after the start, for which it was told 20 s."""
    talk = ArrowTalk(100, settings={"told": {"TRACK_TIMEOUT": "20"}})
    talk.told.append(r.Ledger(t=0, name="told", state={"orders": [], "tracked": ["1"]}))
    talk.asks(1, 1)
    talk.report(1 + value, "tracked", orderId="1", outcome="timeout")
    return talk


def raised_late(value: float) -> ArrowTalk:
    """`connect` so long after the socket opened."""
    talk = ArrowTalk(60)
    talk.asks(1, 1)
    talk.raised("connect", 1 + value)
    return talk


def cap_of(value: float) -> ArrowTalk:
    return arrow_ladder(1, 2, 4, 8, value)


def late_first_rung(value: float) -> ArrowTalk:
    return arrow_ladder(1 + value, 2, 4, 8, 10)


def track_given_up(value: float) -> ArrowTalk:
    """Of a client that was told no time: the share and the slack of a timer are allowed, and the way of the report."""
    talk = ArrowTalk(500)
    talk.told.append(r.Ledger(t=0, name="told", state={"orders": [], "tracked": ["1"]}))
    talk.asks(1, 1)
    talk.report(1 + value + 0.1 * ROWS.limits["track_timeout"].value + 2.25, "tracked", orderId="1", outcome="timeout")
    return talk


def session_over(value: float) -> ArrowTalk:
    """A session ended, and no new one came in so long a time."""
    talk = ArrowTalk(10 + value)
    talk.asks(1, 1)
    talk.fault(10, "session-expired")
    return talk


@dataclass(frozen=True)
class Late:
    """A conversation of whose times the harness's own error is `error` seconds."""

    talk: ArrowTalk
    error: float

    def verdict(self, row: str) -> str:
        return self.talk.verdict(row, calibration={"round_trip_p99": self.error * 1000, "lag_max": 0})


def late_harness(value: float) -> Late:
    """A `PONG` that is late by a little more than its share, and no more than the harness was."""
    return Late(ponged(33.1), value)


def arrow_never(value: float) -> ArrowTalk:
    return ArrowTalk(value)


def second_rung(value: float) -> ArrowTalk:
    """After its own giving up the client's delays are those of a plain loss and so much more: 2, 2 + value, 4 s."""
    talk = ArrowTalk(130)
    talk.asks(1, 1)
    talk.ends(10, 1)
    for conn, at, status in ((2, 11, 503), (3, 12.2, 503), (4, 16.2, 101)):
        talk.asks(at, conn, status=status)
    talk.closes(60, 4, "client", 1000)
    for conn, at, status in ((5, 61, 503), (6, 62.2 + value, 503), (7, 66.2 + value, 101)):
        talk.asks(at, conn, status=status)
    return talk


def together(value: float) -> ArrowTalk:
    """The second attempt so long after the first."""
    return arrow_ladder(1, value, 2, 4, 8)
