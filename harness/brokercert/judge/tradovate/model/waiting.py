"""A wait in vain: the broker does not answer, and the client must give up in time.

The law: a socket is given up by its own end, or by the one that takes its place. Another lane's socket is neither.
Three rows say so, of an upgrade, of `o` or the answer to authorize, and of a server that falls silent. Each declares
its wait as a `Wait`; `given_up` judges it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.verdict import Finding, Form


@dataclass(frozen=True, slots=True)
class Wait:
    """What is awaited in vain since `since` (microseconds), as the records `begun` show, and the words about it.

    `limit` and `should` are names of limits. In the words, `{}` stands for a time.
    """

    since: int
    begun: list[int]
    limit: str
    should: str
    measured: str  # what the time is called
    short: str  # watched for {} only
    waits: str  # still waited after {}
    ended: str  # given up after {}
    expected: str  # given up within {}
    wished: str  # likewise, of a SHOULD
    clause: str = ""


def given_up(bench: Bench, wait: Wait, c: Connection, ends: Sequence[Moment]) -> Iterator[Finding]:
    """Whether the wait on that socket was given up in time. `ends` are the socket's own ends.

    A time above the SHOULD limit and inside the other is a warning beside the pass. A client's own timer of just such a
    limit fires a little after it: that is in time.
    """
    left = first_sign(bench, c, ends, wait.since)
    if left is None:
        yield _not_given_up(bench, wait, c)
        return
    late = bench.limit("timer_late")
    limit, should = bench.limit(wait.limit) + late, bench.limit(wait.should) + late
    took = left.t - wait.since
    measured = bench.time(wait.measured, took, limit)
    said, expected = wait.ended.format(seconds(took)), wait.expected.format(f"{bench.limit(wait.limit):g} s")
    evidence = [*wait.begun, left.record]
    yield bench.against(measured, observed=said, expected=expected, evidence=evidence, clause=wait.clause)
    if should + measured.error < measured.value <= limit:
        wished = wait.wished.format(f"{bench.limit(wait.should):g} s")
        measured = bench.time(wait.measured, took, should)
        yield bench.warn(Form.TIME, said, wished, evidence, (measured,), wait.clause)


def _not_given_up(bench: Bench, wait: Wait, c: Connection) -> Finding:
    """A breach, where it was watched for long enough, and no socket came that may have taken its place."""
    limit = bench.limit(wait.limit) + bench.limit("timer_late")
    watch = bench.owed(wait.since, bench.micros(wait.limit) + bench.micros("timer_late"))
    doubtful = bench.lanes.doubtful(c, wait.since)
    if doubtful:
        said = f"{wait.waits.format(watch)}, but connection {doubtful[0].id} may have taken its place"
        return bench.short(said, [*wait.begun, doubtful[0].accepted_record], wait.clause)
    measured = bench.time(wait.measured, watch.time, limit)
    expected = wait.expected.format(f"{bench.limit(wait.limit):g} s")
    said, short = wait.waits.format(watch), wait.short.format(watch)
    return watch.missing(said, expected, wait.begun, (measured,), wait.clause, short=short)


def first_sign(bench: Bench, c: Connection, ends: Sequence[Moment], since: int) -> Moment | None:
    """When a socket was given up: the first of its own `ends`, or the accept of the one that took its place."""
    new = bench.lanes.successor(c, since)
    taken = [] if new is None else [Moment(new.accepted, new.accepted_record)]
    return min([*ends, *taken], default=None)
