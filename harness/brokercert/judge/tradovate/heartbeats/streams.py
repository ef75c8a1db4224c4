"""Streams of heartbeats: how many there are, how dense, and on which socket (TP §11, rows 7 and 12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Connection
from brokercert.verdict import Finding, Form

OLD_GRACE = SECOND  # of requests on an old socket REC-060 allows as much
DOUBLE = 1.75  # times the rate of before: two timers make it 2; the traffic that may drive a client is the same
COMPARED_LEAST = 6  # heartbeats on each side: of fewer, a rate says nothing


def most_beats(beats: Sequence[Moment], span: int) -> list[int]:
    """The records of the most heartbeats that there are in any time of `span` microseconds."""
    best = range(0)
    start = 0
    for place, beat in enumerate(beats):
        while beat.t - beats[start].t >= span:
            start += 1
        if place - start + 1 > len(best):
            best = range(start, place + 1)
    return [beats[place][1] for place in best]


@check("HBT-070")
def check_no_flood(bench: Bench) -> Iterator[Finding]:
    """Never more than 21 heartbeats in 20 s on a socket, watched for 20 s at least."""
    most, window = round(bench.limit("heartbeat_flood")), bench.micros("window_default")
    watched = 0
    densest = 0
    for c in bench.talk.working():
        answer = c.authorized
        if answer is None:
            continue
        dense = most_beats(c.beats, window)
        if len(dense) > most:
            yield bench.breach(
                Form.AGAIN,
                f"connection {c.id}: {len(dense)} heartbeats in {window / SECOND:g} s",
                f"at most {most} in any {window / SECOND:g} s: about one a second",
                [*dense[:2], dense[-1]],
                [bench.count(f"heartbeats in {window / SECOND:g} s", len(dense), most)],
            )
            return
        densest = max(densest, len(dense))
        watched = max(watched, c.last_seen(bench.end) - answer.t)
    if not watched:
        return
    if watched < window:
        yield bench.short(f"watched for {seconds(watched)} after the authorize answer only")
    else:
        yield bench.ok(
            Form.RESTRAINT,
            f"at most {densest} heartbeats in {window / SECOND:g} s",
            measured=[bench.count(f"heartbeats in {window / SECOND:g} s", densest, most)],
            spare=watched - window,
        )


@check("HBT-080")
def check_one_stream(bench: Bench) -> Iterator[Finding]:
    """After a reconnect no heartbeat comes on the old socket more than 1 s after the new one was authorized, and the
    new one has no second stream beside its own: not 1.75 times the rate of before.
    """
    talk = bench.talk
    first: Connection | None = None
    judged: list[int] = []
    for old, since, news in _changes(bench):
        first = first or old
        settled = max(c.authorized.t for c in news if c.authorized)
        olds = [c for c in talk.working() if c.accepted < since and c not in news]
        late = [(t, n, c) for c in olds for t, n in c.beats if t > settled + OLD_GRACE]
        if late:
            t, number, c = min(late, key=lambda item: item[0])
            yield bench.breach(
                Form.AGAIN,
                f"a heartbeat on old connection {c.id}, {seconds(t - settled)} after the new socket was authorized",
                "one heartbeat stream, on the live socket",
                [max(c.authorized.record for c in news if c.authorized), number],
                clause="the old socket",
            )
            return
        doubled = _doubled(bench, first, news)
        if doubled is not None:
            yield doubled
            return
        judged += [
            n
            for c in news
            for n in (*_begun(c), *(n for _, n in c.beats[2:3]))
            if len(c.beats) >= 3 and _watched(bench, c) >= _window(bench)
        ]
    if judged:
        yield bench.ok(Form.RESTRAINT, "one stream of heartbeats, on the live socket", judged)
    elif any(True for _ in _changes(bench)):
        yield bench.short("the new socket was watched for less than two gaps between heartbeats, or 20 s")


def _changes(bench: Bench) -> Iterator[tuple[Connection, int, list[Connection]]]:
    """(old socket, since when it was lost, the authorized sockets that took over until the next loss)."""
    lost = [
        (min(c.loss.t, c.silent[0] if c.silent else c.loss.t), c)
        for c in bench.talk.working()
        if c.authorized and c.loss is not None and c.loss.t <= bench.end and not bench.unprovoked(c)
    ]
    lost.sort(key=lambda item: item[0])
    for place, (since, old) in enumerate(lost):
        until = lost[place + 1][0] if place + 1 < len(lost) else bench.end
        news = [c for c in bench.talk.working() if since < c.accepted < until and c.authorized]
        if news:
            yield old, since, news


def _window(bench: Bench) -> int:
    return bench.micros("window_default")


def _begun(c: Connection) -> list[int]:
    return [c.authorized.record] if c.authorized else []


def _watched(bench: Bench, c: Connection) -> int:
    assert c.authorized is not None
    until = c.last_seen(bench.end)
    return (min(until, c.silent[0]) if c.silent else until) - c.authorized.t


def _rate(bench: Bench, c: Connection) -> tuple[int, int]:
    """(heartbeats, microseconds) from the authorize answer on, while the server was there."""
    assert c.authorized is not None
    until = c.authorized.t + _watched(bench, c)
    return sum(c.authorized.t <= t <= until for t, _ in c.beats), until - c.authorized.t


def _doubled(bench: Bench, first: Connection, news: list[Connection]) -> Finding | None:
    """A second stream beside the new socket's own, by the rate on the first socket of the same client."""
    before, before_time = _rate(bench, first)
    for c in news:
        after, after_time = _rate(bench, c)
        if min(before, after) < COMPARED_LEAST or min(before_time, after_time) < _window(bench):
            continue
        times = (after / after_time) / (before / before_time)
        if times >= DOUBLE:
            return bench.breach(
                Form.AGAIN,
                f"connection {c.id}: {after} heartbeats in {seconds(after_time)}, {times:.1f} times as many as on the"
                f" first socket ({before} in {seconds(before_time)})",
                "one heartbeat stream: the timer of the old socket ends with it",
                [*_begun(first), *(n for _, n in c.beats[:4]), c.beats[-1][1]],
                clause="a second stream",
            )
    return None
