"""Losses of connections, and the sockets before and after them: what the checks of this area read.

Rules for a client that holds several sockets work per lane: the succession of synced sockets that do the same work. It
decides nothing. Times are microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection, Loss


@dataclass(frozen=True, slots=True)
class Lost:
    """The first loss of a series, and the first socket that it hit."""

    conn: Connection
    loss: Loss

    @property
    def begin(self) -> int:
        """From when the client may replace the socket: the loss, or the silence before it."""
        return min(self.loss.t, self.conn.silent.t if self.conn.silent else self.loss.t)


def losses(bench: Bench) -> list[Lost]:
    """The first loss of every series, each of a socket that was authorized and not refused."""
    result: list[Lost] = []
    last: int | None = None
    for lost in sorted(_found(bench), key=lambda lost: (lost.loss.t, lost.begin)):
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


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is to be filled after a loss: the socket whose sequel, `new`, fills it; `new` None: nobody did."""

    old: Connection
    new: Connection | None


@dataclass(frozen=True, slots=True)
class Equals:
    """Sockets of one loss that nothing tells from each other, and their places: those that were filled first, first.

    Equal sockets have no identity: which place is whose nobody can say. So no verdict may follow from their order.
    """

    lost: list[Lost]
    places: list[Place]
    surplus: int  # of the places were filled before the loss: there are more of their lane than a healthy start has

    @property
    def owed(self) -> int:
        """How many of them the client has to bring back."""
        return len(self.lost) - self.surplus

    @property
    def back(self) -> int:
        """How many of these are back."""
        return sum(place.new is not None for place in self.places) - self.surplus


def equals_of(bench: Bench, hit: list[Lost]) -> list[Equals]:
    """The sockets of one loss, by what tells them apart. Whose lane nobody knows is like no other."""
    lanes: dict[int, list[Lost]] = {}
    for one in hit:
        lane = bench.lanes.lane(one.conn)
        lanes.setdefault(-one.conn.id if lane is None else lane, []).append(one)
    return [_equals(bench, peers) for peers in lanes.values()]


def _equals(bench: Bench, peers: list[Lost]) -> Equals:
    if bench.lanes.lane(peers[0].conn) is None:
        return Equals(peers, [Place(one.conn, None) for one in peers], 0)
    places = [Place(one.conn, bench.lanes.successor(one.conn)) for one in peers]
    begin = min(one.begin for one in peers)
    filled = sorted((place for place in places if place.new is not None), key=_filled)
    surplus = sum(place.new is not None and place.new.accepted < begin for place in filled)
    return Equals(peers, [*filled, *(place for place in places if place.new is None)], surplus)


def _filled(place: Place) -> tuple[int, int]:
    return (place.new.accepted, place.new.accepted_record) if place.new is not None else (0, 0)


def _is_one(bench: Bench, first: Lost, one: Lost) -> bool:
    within = bench.micros("one_loss")
    if first.conn.fell_silent_with(one.conn, within):
        return True
    return 0 <= one.loss.t - first.loss.t < within and one.conn.accepted < first.begin


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
