"""Leaving on request (AR Connection Events, `disconnect`)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.arrow.bench import ArrowBench, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.attempts import attempts_of
from brokercert.judge.check import seconds
from brokercert.judge.moments import Noted
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form


@check("AOC-040")
def check_disconnect(bench: ArrowBench) -> Iterator[Finding]:
    """After `disconnect` the client ends its socket, does not come back, and says nothing more."""
    exited = bench.talk.exited
    for stop in bench.talk.stops:
        if not stop.what.judged or (exited is not None and exited.t < stop.t):
            continue
        still = [c for c in bench.talk.upgraded if _was_open(c, stop.t)]
        clause = "open connection" if still else "not connected"
        wrong = [*_stays(bench, stop, still, clause), *_comes_back(bench, stop, clause)]
        yield from wrong
        if not wrong:
            yield _left(bench, stop, bool(still), clause)


def _was_open(c: UpdateSocket, t: int) -> bool:
    return c.upgraded is not None and c.upgraded.t < t and (c.loss is None or c.loss.t >= t)


def _stays(bench: ArrowBench, stop: Noted[r.StopAsked], still: list[UpdateSocket], clause: str) -> Iterator[Finding]:
    """What of its open sockets it did not end."""
    goodbye = bench.micros("goodbye")
    watch = bench.barred(stop.t, goodbye)
    for c in still:
        ended = c.given_up()
        if (ended is not None and ended.t <= stop.t + goodbye) or (ended is None and watch.short):
            continue
        yield bench.breach(
            Form.ABSENCE, f"connection {c.id} was still open {watch} later", "it is ended", [stop.record], clause=clause
        )
    for c in still:
        beat = next((beat for beat in c.beats if beat.t > stop.t + goodbye), None)
        if beat is not None:
            evidence = [stop.record, beat.record]
            yield bench.breach(Form.AGAIN, "`PONG` was sent after it", "its timers end too", evidence, clause=clause)


def _comes_back(bench: ArrowBench, stop: Noted[r.StopAsked], clause: str) -> Iterator[Finding]:
    back = [a for a in attempts_of(bench.talk, stop.t + bench.micros("stop_flight")) if a.t <= bench.end]
    if back:
        yield bench.breach(
            Form.AGAIN,
            f"the client came back {seconds(back[0].t - stop.t)} after `disconnect`",
            "no further attempt",
            [stop.record, back[0].record],
            clause=clause,
        )


def _left(bench: ArrowBench, stop: Noted[r.StopAsked], ended: bool, clause: str) -> Finding:
    watch = bench.barred(stop.t, bench.micros("window_stop"))
    if watch.short:
        return bench.short(f"watched for {watch} only", [stop.record], clause)
    left = "and left" if bench.talk.exited is not None else "and stayed away"
    said = f"it ended its connection {left}" if ended else f"it had none to end, {left}"
    return bench.ok(Form.RESTRAINT, said, [stop.record], clause=clause)
