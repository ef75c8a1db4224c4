"""Losses of connections, and the sockets before and after them: what the checks of this area read.

Rules for a client that holds several sockets work per lane: the succession of synced sockets that do the same work. It
decides nothing. Times are microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection, Loss


@dataclass(frozen=True, slots=True)
class Lost:
    """The first loss of a series, and the first socket that it hit.

    `equals`: how many sockets of its lane it hit that nothing tells from this one, itself included; `back`: how many of
    them came back. Both are 0 where nobody asked (`owed_back`).
    """

    conn: Connection
    loss: Loss
    equals: int = 0
    back: int = 0

    @property
    def begin(self) -> int:
        """From when the client may replace the socket: the loss, or the silence before it."""
        return min(self.loss.t, self.conn.silent.t if self.conn.silent else self.loss.t)


def losses(bench: Bench) -> list[Lost]:
    """The first loss of every series, each of a socket that was authorized and not refused."""
    result: list[Lost] = []
    last: int | None = None
    for lost in sorted(_found(bench), key=lambda lost: lost.loss.t):
        if last is None or lost.loss.t - last >= bench.micros("series_ends"):
            result.append(lost)
        last = lost.loss.t
    return result


def struck(bench: Bench, lost: Lost) -> list[Lost]:
    """That loss, and the losses of other sockets by the same cause: at once, or given up in the same silence. Without
    the client's shape nobody can tell the sequel of one from that of another: then it is that loss alone.
    """
    if bench.lanes.lane(lost.conn) is None:
        return [lost]
    return [one for one in _found(bench) if bench.lanes.lane(one.conn) is not None and _is_one(bench, lost, one)]


def owed_back(bench: Bench, hit: list[Lost]) -> list[Lost]:
    """Those of the sockets of one loss that the client has to bring back. Equal ones that are not back are one, the
    first: which of them is missing nobody can say.

    One whose place was taken before is not owed: there are more of its lane than a healthy start has.
    """
    owed = [one for one in hit if not _was_replaced(bench, one)]
    result: list[Lost] = []
    for lane in dict.fromkeys(bench.lanes.lane(one.conn) for one in owed):
        peers = [one for one in owed if bench.lanes.lane(one.conn) == lane]
        back = [one for one in peers if lane is None or bench.lanes.successor(one.conn) is not None]
        away = [one for one in peers if one not in back]
        result += [replace(one, equals=len(peers), back=len(back)) for one in (*back, *away[:1])]
    return sorted(result, key=lambda one: one.loss.record)


def _was_replaced(bench: Bench, lost: Lost) -> bool:
    new = bench.lanes.successor(lost.conn) if bench.lanes.lane(lost.conn) is not None else None
    return new is not None and new.accepted < lost.begin


def _is_one(bench: Bench, first: Lost, one: Lost) -> bool:
    silent = first.conn.silent, one.conn.silent
    if silent[0] is not None and silent[0] == silent[1]:
        return True
    return 0 <= one.loss.t - first.loss.t < bench.micros("one_loss") and one.conn.accepted < first.begin


def _found(bench: Bench) -> list[Lost]:
    """The losses of sockets that were authorized and not refused, without those that the client made without cause."""
    counted = [(c, loss) for c, loss in bench.talk.lost if not c.refused and not bench.unprovoked(c)]
    return [Lost(c, loss) for c, loss in counted if loss.t <= bench.end]


def taken(bench: Bench, lost: Lost, sockets: list[Connection]) -> list[Connection]:
    """Those of the sockets that the loss took. Without the client's shape: all that lived up to it, since nobody can
    tell whose sequel a new socket is.
    """
    if bench.lanes.shape is None:
        return _before(bench, lost, sockets)
    hit = [one.conn for one in struck(bench, lost)]
    return [c for c in sockets if c in hit]


def after(bench: Bench, lost: Lost, sockets: list[Connection]) -> list[Connection]:
    """Those of the sockets that were accepted after the loss began, without the sequels of sockets that it left."""
    hit = taken(bench, lost, bench.talk.upgraded)
    spared = (c for c in _before(bench, lost, bench.talk.upgraded) if c not in hit and bench.lanes.lane(c) is not None)
    others = [heir for c in spared for heir in bench.lanes.heirs(c)]
    return [c for c in sockets if c.accepted > lost.begin and c not in others]


def _before(bench: Bench, lost: Lost, sockets: list[Connection]) -> list[Connection]:
    """Those of the sockets that lived up to the loss: it took them at once, or left them."""
    since = lost.loss.t - bench.micros("one_loss")
    return [c for c in sockets if c.accepted < lost.begin and (c.loss is None or c.loss.t >= since)]
