"""Streams of heartbeats: how many there are, how dense, and on which socket (TP §11, rows 7 and 12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.beating import page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection
from brokercert.judge.tradovate.model.recovery import replaces_one_of_before
from brokercert.verdict import Finding, Form, Measured


def most_beats(beats: Sequence[Moment], span: int) -> list[int]:
    """The records of the most heartbeats that there are in any time of `span` microseconds."""
    best = range(0)
    start = 0
    for place, beat in enumerate(beats):
        while beat.t - beats[start].t >= span:
            start += 1
        if place - start + 1 > len(best):
            best = range(start, place + 1)
    return [beats[place].record for place in best]


@check("HBT-070")
def check_no_flood(bench: Bench) -> Iterator[Finding]:
    """Never more than 21 heartbeats in 20 s on a socket, watched for 20 s at least."""
    most, window = round(bench.limit("heartbeat_flood")), bench.micros("window_default")
    counted = f"heartbeats in {window / SECOND:g} s"
    watched = 0
    densest, span = 0, list[int]()
    for c, answer in bench.talk.granted:
        dense = most_beats(c.beats, window)
        if len(dense) > most:
            yield bench.breach(
                Form.AGAIN,
                f"connection {c.id}: {len(dense)} {counted}",
                f"at most {most} in any {window / SECOND:g} s: about one a second",
                [*dense[:2], dense[-1]],
                [bench.count(counted, len(dense), most)],
            )
            return
        densest = max(densest, len(dense))
        time = c.last_seen(bench.seen) - answer.t
        if time > watched:
            watched, span = time, [answer.record, *(beat.record for beat in c.beats[-1:])]
    if watched:
        yield _no_flood(bench, watched, span, bench.count(counted, densest, most))


def _no_flood(bench: Bench, watched: int, span: list[int], densest: Measured) -> Finding:
    """A pass, where the socket that was watched for longest, as the records of `span` show, was for long enough."""
    window = bench.micros("window_default")
    if watched < window:
        return bench.short(f"watched for {seconds(watched)} after the authorize answer only", span)
    said = f"at most {densest.value:g} {densest.name} on an authorized socket"
    return bench.ok(Form.RESTRAINT, said, span, [densest], spare=watched - window)


class Stream(NamedTuple):
    """The heartbeats of an authorized socket, from its authorize answer on and while its server was there."""

    c: Connection
    since: Answer
    until: int

    @property
    def time(self) -> int:
        return self.until - self.since.t

    @property
    def beats(self) -> int:
        return sum(self.since.t <= beat.t <= self.until for beat in self.c.beats)

    @property
    def rate(self) -> float:
        return self.beats / self.time


class Change(NamedTuple):
    """`old` was lost at `since`; `news` took over, up to the next loss."""

    old: Stream
    since: int
    news: list[Stream]

    @property
    def settled(self) -> int:
        """When the last of the new sockets was authorized."""
        return max(new.since.t for new in self.news)


@check("HBT-080")
def check_one_stream(bench: Bench) -> Iterator[Finding]:
    """After a reconnect no heartbeat comes on the old socket more than 1 s after the new one was authorized, and the
    new one has no second stream beside its own: not 1.75 times the rate of before. It has a first one: a heartbeat
    comes on it in the page's time.
    """
    changes = list(_changes(bench))
    # Of sockets that were lost at once nothing is known: the first that lived for a whole window is the measure.
    first = next((one.old for one in changes if one.old.time >= bench.micros("window_default")), None)
    judged: list[int] = []
    for change in changes:
        wrong = _beats_on_old(bench, change) or _doubled(bench, first, change.news) or _none(bench, change.news)
        if wrong is not None:
            yield wrong
            return
        judged += [record for new in change.news if _enough(bench, new) for record in _shown(new)]
    if judged:
        yield bench.ok(Form.RESTRAINT, "one stream of heartbeats, on the live socket", judged)
    elif changes:
        yield _too_little(bench, changes)


def _enough(bench: Bench, new: Stream) -> bool:
    """Whether a second stream would have been seen: three heartbeats, which are two gaps, and the whole window."""
    return len(new.c.beats) >= 3 and new.time >= bench.micros("window_default")


def _too_little(bench: Bench, changes: list[Change]) -> Finding:
    """Not observed, with what there was on the new socket that came nearest."""
    new = max((one for change in changes for one in change.news), key=lambda one: (one.beats, one.time))
    said = (
        f"a new socket shows one stream by 3 heartbeats in {bench.limit('window_default'):g} s or more; connection"
        f" {new.c.id} had {new.beats} in {seconds(new.time)}"
    )
    return bench.short(said, [new.since.record])


def _none(bench: Bench, news: list[Stream]) -> Finding | None:
    """No heartbeat at all on a new socket in the page's time."""
    limit = page_limit(bench)
    silent = next((new for new in news if not new.c.beats and new.time > limit * SECOND), None)
    if silent is None:
        return None
    return bench.breach(
        Form.ABSENCE,
        f"no heartbeat on new connection {silent.c.id} in {seconds(silent.time)} after its authorize answer",
        f"one heartbeat stream, on the live socket: a heartbeat at least every {limit:g} s",
        [silent.since.record],
        clause="no stream",
    )


def _shown(new: Stream) -> list[int]:
    return [new.since.record, *(beat.record for beat in new.c.beats[2:3])]


def _streams(bench: Bench) -> Iterator[Stream]:
    """Those of the sockets that synced, and of those that took the place of such a one and did not sync again."""
    for c in bench.talk.authorized:
        if c.authorized is not None and (c.syncs or replaces_one_of_before(bench.talk, c, c.accepted)):
            yield Stream(c, c.authorized, c.heard_until(bench.seen))


def _changes(bench: Bench) -> Iterator[Change]:
    """A change for each loss that had a cause, and that a new socket followed."""
    streams = list(_streams(bench))
    # A socket whose server fell silent was lost already then.
    lost = sorted((one for one in streams if _has_cause(bench, one.c)), key=lambda one: one.until)
    times = [*(one.until for one in lost), bench.end]
    for old, (since, until) in zip(lost, pairwise(times), strict=True):
        others = [heir for c in _left(bench, since) for heir in bench.lanes.heirs(c)]
        news = [one for one in streams if since < one.c.accepted < until and one.c not in others]
        if news:
            yield Change(old, since, news)


def _left(bench: Bench, since: int) -> list[Connection]:
    """The sockets that live on beside the one that was lost at `since`; none without the client's shape, since nobody
    can tell whose sequel a new one is.
    """
    if bench.lanes.shape is None:
        return []
    return [c for c in bench.talk.working() if c.accepted < since < c.heard_until(bench.end)]


def _has_cause(bench: Bench, c: Connection) -> bool:
    """It ended, and not by the client's doing alone; or its server fell silent, which the client may never notice."""
    return c.silent is not None or (c.loss is not None and c.loss.t <= bench.end and not bench.unprovoked(c))


def _beats_on_old(bench: Bench, change: Change) -> Finding | None:
    """A breach, where an old socket still beats when the new one is long in its place."""
    since, rest = change.since, [*(new.c for new in change.news), *_left(bench, change.since)]
    olds = [c for c in bench.talk.working() if c.accepted < since and c not in rest]
    due = change.settled + bench.micros("old_socket_beats")
    late = [(beat, c) for c in olds for beat in c.beats if beat.t > due]
    if not late:
        return None
    beat, c = min(late, key=lambda item: item[0].t)
    return bench.breach(
        Form.AGAIN,
        f"a heartbeat on old connection {c.id}, {seconds(beat.t - change.settled)} after the new socket was authorized",
        "one heartbeat stream, on the live socket",
        [max(new.since.record for new in change.news), beat.record],
        clause="the old socket",
    )


def _doubled(bench: Bench, first: Stream | None, news: list[Stream]) -> Finding | None:
    """A second stream beside the new socket's own, by the rate on the first socket of the same client."""
    for new in news:
        if first is None or not _comparable(bench, first, new):
            continue
        times = new.rate / first.rate
        if times >= bench.limit("second_stream"):
            return bench.breach(
                Form.AGAIN,
                f"connection {new.c.id}: {new.beats} heartbeats in {seconds(new.time)}, {times:.1f} times as many as"
                f" on connection {first.c.id} ({first.beats} in {seconds(first.time)})",
                "one heartbeat stream: the timer of the old socket ends with it",
                [first.since.record, new.since.record, *(b.record for b in new.c.beats[:4]), new.c.beats[-1].record],
                clause="a second stream",
            )
    return None


def _comparable(bench: Bench, first: Stream, new: Stream) -> bool:
    """Both have enough heartbeats for a rate, over a whole window."""
    enough = min(first.beats, new.beats) >= bench.limit("second_stream_beats")
    return enough and min(first.time, new.time) >= bench.micros("window_default")
