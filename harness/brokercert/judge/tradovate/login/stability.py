"""Staying logged in (S2 §1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection
from brokercert.verdict import Finding, Form


@check("LOG-060")
def check_stable(bench: Bench) -> Iterator[Finding]:
    """For 60 s after authentication, with a healthy server, the client ends no connection by itself. One that was
    begun after the client had been asked to stop is OFF-010's matter.
    """
    asked = min((stop.t for stop in bench.talk.stops), default=bench.end)
    longest: _Stable | None = None
    for c in bench.talk.working():
        answer = c.authorized
        if answer is None or answer.t > asked:
            continue
        if bench.unprovoked(c) and c.last_seen(bench.seen) - answer.t < bench.micros("window_stability"):
            yield _left(bench, c, answer)
            return
        one = _stable_from(bench, c, answer)
        longest = max([one] if longest is None else [longest, one], key=lambda seen: seen.time)
    if longest is not None and longest.time:
        yield _stable(bench, longest)


class _Stable(NamedTuple):
    """How long a socket was seen with a healthy server, from its answer to `last`, the last message in that time."""

    time: int
    answer: Answer
    last: Moment | None


def _stable(bench: Bench, seen: _Stable) -> Finding:
    window, span = bench.micros("window_stability"), [seen.answer.record, *records_of(seen.last)]
    if seen.time < window:
        return bench.short(f"watched for {seconds(seen.time)} after authentication only", span)
    said = f"stable for {seconds(seen.time)} after authentication"
    return bench.ok(Form.RESTRAINT, said, span, spare=seen.time - window)


def _stable_from(bench: Bench, c: Connection, answer: Answer) -> _Stable:
    until = c.excused.t if c.excused and c.excused.t > answer.t else bench.seen
    until = c.last_seen(until)
    heard = (said for said in (*c.sent, *c.beats) if answer.t < said.t <= until)
    return _Stable(until - answer.t, answer, max(heard, default=None))


def _left(bench: Bench, c: Connection, answer: Answer) -> Finding:
    gone, died = c.given_up(), bench.death()
    assert gone is not None
    return bench.breach(
        Form.ENDING,
        f"the client ended connection {c.id} ({gone.how}) {seconds(gone.t - answer.t)} after it was"
        f" authorized, and was the first to end it{bench.exit_text()}",
        "a connection that stays up while the server is healthy",
        [answer.record, *records_of(gone, died)],
    )
