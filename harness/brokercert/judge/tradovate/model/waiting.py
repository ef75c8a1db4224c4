"""A wait in vain: the broker does not answer, and the client must give up in time.

Three rows say so, of an upgrade, of `o` or the answer to authorize, and of a server that falls silent. Each declares
its wait as a `Wait`; `given_up` judges it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench
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


def given_up(bench: Bench, wait: Wait, left: Moment | None) -> Iterator[Finding]:
    """Whether the wait was given up in time. `left`: when it was; None: never.

    A time above the SHOULD limit and inside the other is a warning beside the pass. A client's own timer of just such a
    limit fires a little after it: that is in time.
    """
    late = bench.limit("timer_late")
    limit, should = bench.limit(wait.limit) + late, bench.limit(wait.should) + late
    expected = wait.expected.format(f"{bench.limit(wait.limit):g} s")
    if left is None:
        watch = bench.owed(wait.since, bench.micros(wait.limit) + bench.micros("timer_late"))
        measured = bench.time(wait.measured, watch.time, limit)
        said, short = wait.waits.format(watch), wait.short.format(watch)
        yield watch.missing(said, expected, wait.begun, (measured,), wait.clause, short=short)
        return
    took = left.t - wait.since
    measured = bench.time(wait.measured, took, limit)
    said = wait.ended.format(seconds(took))
    evidence = [*wait.begun, left.record]
    yield bench.against(measured, observed=said, expected=expected, evidence=evidence, clause=wait.clause)
    if should + measured.error < measured.value <= limit:
        wished = wait.wished.format(f"{bench.limit(wait.should):g} s")
        measured = bench.time(wait.measured, took, should)
        yield bench.warn(Form.TIME, said, wished, evidence, (measured,), wait.clause)


def first_sign(bench: Bench, ends: list[Moment], since: int) -> Moment | None:
    """When a socket was given up: the first of its own `ends`, or another connection that asks for an upgrade."""
    others = [
        Moment(c.accepted, c.accepted_record) for c in bench.talk.connections.values() if c.head and c.accepted > since
    ]
    return min([*ends, *others], default=None)
