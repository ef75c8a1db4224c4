"""Ways that are slow: they change nothing but time (S2 Error handling)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Connection
from brokercert.judge.tradovate.model.syncs import logical_syncs
from brokercert.trace.names import FaultName
from brokercert.verdict import Finding, Form

EXPECTED = "a slow way changes nothing but time"


class Slow(NamedTuple):
    """What made the way slow, since `since`, as `record` shows."""

    since: int
    record: int
    what: str


@check("CON-050")
def check_slow_link(bench: Bench) -> Iterator[Finding]:
    """On a slow way the client logs in once, syncs once and ends no connection, for 20 s at least."""
    talk = bench.talk
    slow = _slow(bench)
    if slow is None or not any(c.head for c in talk.connections.values()):
        return  # that it never asked for a connection is no doing of the way: who demands one says so
    judged = (_left(bench, c, slow) or _twice(bench, c, slow) for c in talk.connections.values())
    yield next(filter(None, judged), None) or _stayed(bench, slow)


def _slow(bench: Bench) -> Slow | None:
    """The first thing that made the way slow."""
    for t, record, fault in bench.talk.faults:
        if fault.name.startswith(FaultName.TOXIC):
            return Slow(t, record, fault.name.removeprefix(FaultName.TOXIC))
    return None


def _left(bench: Bench, c: Connection, slow: Slow) -> Finding | None:
    """A breach, where the client ended the connection."""
    gone = c.given_up()
    if not c.upgraded or gone is None or gone.t <= slow.since:
        return None
    return bench.breach(
        Form.ENDING,
        f"{slow.what}: the client ended connection {c.id} ({gone.how}){bench.exit_text()}",
        EXPECTED,
        [slow.record, gone.record],
        clause=slow.what,
    )


def _twice(bench: Bench, c: Connection, slow: Slow) -> Finding | None:
    """A breach, where the client asked twice for what had only not been answered yet."""
    twice = len(c.authorizes) > 1 or len(logical_syncs(c)) > 1
    if not twice:
        return None
    return bench.breach(
        Form.AGAIN,
        f"{slow.what}: a request was sent twice on connection {c.id}",
        EXPECTED,
        [slow.record, *(request.record for request in c.requests[:3])],
        clause=slow.what,
    )


def _stayed(bench: Bench, slow: Slow) -> Finding:
    """Whether the client came as far as its sync, and was watched long enough after it."""
    stayed = [(c.last_seen(bench.seen) - synced.t, synced.record) for c, synced in bench.talk.caught_up if c.authorized]
    if not stayed:
        return _never_synced(bench, slow)
    watched, since = max(stayed)
    if watched < bench.micros("window_default"):
        return bench.short(f"{slow.what}: watched for {seconds(watched)} after the sync only", [slow.record])
    said = f"{slow.what}: logged in and synced once, and stayed for {seconds(watched)}"
    return bench.ok(Form.RESTRAINT, said, [slow.record, since])


def _never_synced(bench: Bench, slow: Slow) -> Finding:
    window = round((bench.limit("window_first_authorize") + bench.limit("window_first_sync")) * SECOND)
    watch = bench.owed(slow.since, window)
    return watch.missing(
        f"{slow.what}: not synced in {watch}",
        EXPECTED,
        [slow.record],
        clause=slow.what,
        short=f"{slow.what}: watched for {watch} only",
    )
