"""Sync requests of a socket: which of them are one, and that there is one only (TP §5)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection, Request, answers_of
from brokercert.verdict import Finding, Form


def logical_syncs(c: Connection) -> list[Request]:
    """The socket's sync requests, without those that retry one that was answered by a ticket."""
    logical: list[Request] = []
    for sync in c.syncs:
        # The first of a socket may carry a ticket that travelled from another one.
        if not logical or not _is_retry(sync, c):
            logical.append(sync)
    return logical


def _is_retry(sync: Request, c: Connection) -> bool:
    """Whether it carries a ticket, or follows an answer that is one."""
    return sync.ticket is not None or any(a.ticket and a.t < sync.t for a in answers_of(c.syncs))


def one_sync(bench: Bench, sockets: list[Connection]) -> Iterator[Finding]:
    """One logical sync on each of these sockets, watched for long enough after its answer."""
    repeated = [(c, syncs) for c in sockets if len(syncs := logical_syncs(c)) > 1]
    for c, syncs in repeated:
        yield bench.breach(
            Form.AGAIN,
            f"{len(syncs)} sync requests on connection {c.id}, {seconds(syncs[1].t - syncs[0].t)} apart",
            "one `user/syncrequest` per socket lifecycle",
            [s.record for s in syncs],
            [bench.count("sync requests on one socket", len(syncs), 1)],
        )
    if sockets and not repeated:
        yield _once(bench, sockets)


def _once(bench: Bench, sockets: list[Connection]) -> Finding:
    """A pass, where one of the sockets was watched for long enough."""
    longest, c = max(((_watched_after_answer(bench, c), c) for c in sockets), key=lambda one: one[0])
    if longest < bench.micros("window_single_sync"):
        since = [answer.record for answer in answers_of(c.syncs)[:1]]
        return bench.short(f"watched for {seconds(longest)} after the sync answer only", since)
    return bench.ok(
        Form.RESTRAINT,
        f"one sync on each of {len(sockets)} socket(s)",
        [c.syncs[0].record for c in sockets],
        spare=longest - bench.micros("window_single_sync"),
    )


def _watched_after_answer(bench: Bench, c: Connection) -> int:
    """How long the socket was watched after its sync was answered; 0 where it never was. Microseconds."""
    answers = answers_of(c.syncs)
    return max(0, c.last_seen(bench.seen) - answers[0].t) if answers else 0
