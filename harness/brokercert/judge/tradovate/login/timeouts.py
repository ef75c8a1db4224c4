"""A login that nobody answers (S2 §1, TP §2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.judge.tradovate.model.waiting import Wait, first_sign, given_up
from brokercert.trace.names import RuleName
from brokercert.verdict import Finding, Form


class Awaited(NamedTuple):
    """What a client awaits in vain on a socket, since `since`, as `record` shows."""

    c: Connection
    since: int
    record: int
    what: str


@check("LOG-080")
def check_authentication_timeout(bench: Bench) -> Iterator[Finding]:
    """An unanswered authorize, and an `o` that never comes, are given up in time and tried again on a new socket."""
    for one in _unanswered(bench):
        if one.what == "`o`" and one.c.authorized is not None:
            said = "the client does not wait for `o`: it authorized without it"
            yield bench.ok(Form.SHOWN, said, [one.c.authorized.record])
        else:
            yield from _given_up_and_retried(bench, one)


def _unanswered(bench: Bench) -> Iterator[Awaited]:
    """Everything that a client awaited in vain."""
    for rule in bench.talk.rules:
        c = bench.talk.connections.get(rule.what.conn)
        if c is None:
            continue
        if rule.what.name == RuleName.OPEN_NEVER and c.upgraded:
            yield Awaited(c, c.upgraded.t, c.upgraded.record, "`o`")
        elif rule.what.name == RuleName.unanswered("authorize") and c.authorizes:
            first = c.authorizes[0]
            yield Awaited(c, first.t, first.record, "the answer to authorize")


def _given_up_and_retried(bench: Bench, one: Awaited) -> Iterator[Finding]:
    what = one.what
    wait = Wait(
        since=one.since,
        begun=[one.record],
        limit="give_up",
        should="give_up_should",
        measured=f"wait for {what}",
        short=f"{what} was awaited for {{}} only",
        waits=f"the client still waited for {what} after {{}}",
        ended=f"{what} was given up after {{}}",
        expected="given up within {}",
        wished="given up within {}",
        clause=what,
    )
    gone = one.c.given_up()
    ends = [Moment(gone.t, gone.record)] if gone else []
    yield from given_up(bench, wait, one.c, ends)
    left = first_sign(bench, one.c, ends, one.since)
    if left is not None:
        yield _retried(bench, one, left)


def _retried(bench: Bench, one: Awaited, left: Moment) -> Finding:
    """Whether a socket in its place was authorized after the old one was given up."""
    new = next((answer for other in bench.lanes.heirs(one.c) if (answer := other.authorized) is not None), None)
    if new is not None:
        said = f"authorized on a new socket {seconds(new.t - left.t)} after giving up"
        return bench.ok(Form.SHOWN, said, [new.record], (), one.what)
    watch = bench.owed(left.t, bench.micros("window_recovery"))
    return watch.missing(
        f"no new socket was authorized in {watch} after {one.what} was given up",
        "a new attempt that authorizes",
        [left.record],
        clause=one.what,
        short=f"watched for {watch} after giving up only",
    )
