"""Sync requests of a socket: which of them are one, and that there is one only (TP §5)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection, Request
from brokercert.verdict import Finding, Form


def logical_syncs(c: Connection) -> list[Request]:
    """The socket's sync requests, without those that retry one that was answered by a ticket."""
    logical: list[Request] = []
    for sync in c.syncs:
        ticketed = [s for s in c.syncs if s.t < sync.t and s.answer and s.answer.ticket and s.answer.t < sync.t]
        if not ticketed and sync.ticket is None:
            logical.append(sync)
        elif not logical:
            logical.append(sync)  # a ticket that travelled from another socket
    return logical


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
    if not sockets or repeated:
        return
    longest = max(_watched_after_answer(bench, c) for c in sockets)
    if longest < bench.micros("window_single_sync"):
        yield bench.short(f"watched for {seconds(longest)} after the sync answer only")
    else:
        yield bench.ok(
            Form.RESTRAINT,
            f"one sync on each of {len(sockets)} socket(s)",
            [c.syncs[0].record for c in sockets],
            spare=longest - bench.micros("window_single_sync"),
        )


def _watched_after_answer(bench: Bench, c: Connection) -> int:
    """How long the socket was watched after its sync was answered; 0 where it never was. Microseconds."""
    answer = next((s.answer for s in c.syncs if s.answer), None)
    return 0 if answer is None else max(0, c.last_seen(bench.end) - answer.t)
