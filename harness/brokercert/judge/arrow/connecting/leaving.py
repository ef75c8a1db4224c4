"""Leaving on request (AR Connection Events, `disconnect`)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.arrow.bench import BOTH, ArrowBench, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.attempts import attempts_of
from brokercert.judge.check import seconds
from brokercert.judge.moments import Noted, first_after
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form


@check("AOC-040", *BOTH)
def check_disconnect(bench: ArrowBench) -> Iterator[Finding]:
    """After `disconnect` the client ends its socket, does not come back, and says nothing more."""
    for stop in bench.talk.judged_stops():
        still = [c for c in bench.talk.upgraded if c.stood_at(stop.t)]
        clause = "open connection" if still else "not connected"
        wrong = [*_stays(bench, stop, still, clause), *_comes_back(bench, stop, clause)]
        yield from wrong
        if not wrong:
            yield _left(bench, stop, bool(still), clause)


def _stays(bench: ArrowBench, stop: Noted[r.StopAsked], still: list[UpdateSocket], clause: str) -> Iterator[Finding]:
    """What of its open sockets it did not end."""
    goodbye = bench.micros("goodbye")
    watch = bench.barred(stop.t, goodbye)
    for c in still:
        ended = c.given_up()
        in_time = watch.short if ended is None else ended.t <= stop.t + goodbye
        if not in_time:
            said = f"connection {c.id} was still open {watch} later"
            yield bench.breach(Form.ABSENCE, said, "it is ended", [stop.record], clause=clause)
    for c in still:
        beat = first_after(c.beats, stop.t + goodbye)
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
    left = "and left" if watch.ending is not None else "and stayed away"
    said = f"it ended its connection {left}" if ended else f"it had none to end, {left}"
    return watch.kept(said, [stop.record], clause, short=f"watched for {watch} only")
