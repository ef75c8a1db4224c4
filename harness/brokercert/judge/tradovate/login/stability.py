"""Staying logged in (S2 §1)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection
from brokercert.verdict import Finding, Form


@check("LOG-060")
def check_stable(bench: Bench) -> Iterator[Finding]:
    """For 60 s after authentication, with a healthy server, the client ends no connection by itself. One that was
    begun after the client had been asked to stop is OFF-010's matter.
    """
    asked = min((stop.t for stop in bench.talk.stops), default=bench.end)
    watched = 0
    for c in bench.talk.working():
        answer = c.authorized
        if answer is None or answer.t > asked:
            continue
        if bench.unprovoked(c):
            yield _left(bench, c, answer)
            return
        watched = max(watched, _healthy(bench, c, answer))
    if watched:
        yield _stable(bench, watched)


def _stable(bench: Bench, watched: int) -> Finding:
    window = bench.micros("window_stability")
    if watched < window:
        return bench.short(f"watched for {seconds(watched)} after authentication only")
    return bench.ok(Form.RESTRAINT, f"stable for {seconds(watched)} after authentication", spare=watched - window)


def _healthy(bench: Bench, c: Connection, answer: Answer) -> int:
    """How long it was seen with a healthy server."""
    until = c.disturbed.t if c.disturbed and c.disturbed.t > answer.t else bench.end
    return c.last_seen(until) - answer.t


def _left(bench: Bench, c: Connection, answer: Answer) -> Finding:
    gone, died = c.given_up(), bench.talk.died()
    assert gone is not None
    return bench.breach(
        Form.ENDING,
        f"the client ended connection {c.id} ({gone.how}) {seconds(gone.t - answer.t)} after it was"
        f" authorized, with the server healthy{bench.exit_text()}",
        "a connection that stays up while the server is healthy",
        [answer.record, *records_of(gone, died)],
    )
