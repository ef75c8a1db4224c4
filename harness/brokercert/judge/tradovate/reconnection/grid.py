"""A fault in a phase of a connection's life, and the way back from it: S2 §5.

A scenario vouches by a window `cell: FAULT, PHASE` from when the fault struck; all else is read from the frames.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.beliefs.compared import compare_at
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.events.subscribing import one_sync
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Verdict

CELL = "cell: "
AFTER = "after the loss"  # the point at which the client's state is compared


@check("REC-110")
def check_recovers_in_every_phase(bench: Bench) -> Iterator[Finding]:
    """After the fault, whatever the phase, the client is back on a new socket: authorized first, then one sync."""
    for t, number, window in bench.talk.windows:
        if window.name.startswith(CELL):
            yield from _way_back(bench, t, number, window)


@check("REC-115")
def check_state_in_every_phase(bench: Bench) -> Iterator[Finding]:
    """And its state equals the ledger, whatever was filled, cancelled, rejected, deleted or placed meanwhile."""
    yield from compare_at(bench, AFTER)


def _way_back(bench: Bench, t: int, number: int, window: r.Window) -> Iterator[Finding]:
    cell, since = window.name.removeprefix(CELL), window.since
    news = [c for c in bench.talk.upgraded if c.accepted > since]
    back = next((c for c in news if c.synced), None)
    if back is None:
        yield _not_back(bench, cell, t, number, window)
        return
    assert back.synced is not None
    first = back.requests[0]
    if first.endpoint != "authorize":
        yield bench.breach(
            Form.CONTENT,
            f"{cell}: the first request on new connection {back.id} was `{first.endpoint}`",
            "authorize before any other request",
            [first.record],
            clause=cell,
        )
        return
    wrong = [f for f in one_sync(bench, [c for c in news if c.syncs]) if f.verdict is not Verdict.PASS]
    if wrong:
        yield from wrong
        return
    yield bench.ok(
        Form.RESTRAINT,
        f"{cell}: authorized and synced again {seconds(back.synced.t - since)} later, once",
        [first.record, back.synced.record, number],
        clause=cell,
    )


def _not_back(bench: Bench, cell: str, t: int, number: int, window: r.Window) -> Finding:
    """It did not come back: a breach once it had all the time that it may take."""
    olds = [c for c in bench.talk.connections.values() if c.accepted <= window.since]
    tried = [c for c in bench.talk.connections.values() if c.accepted > window.since]
    deaf = _never_left(olds, window.since) if not tried else None  # a new socket gives the old one up
    began = max((c.loss.t for c in olds if c.loss is not None), default=window.since)
    due = window.since + bench.micros("silence") if deaf else began + bench.micros("window_recovery")
    if t < due and bench.talk.exited is None:
        return bench.short(f"{cell}: watched for {seconds(t - window.since)} only", [number], clause=cell)
    if deaf:
        how = f"connection {deaf.id} was never given up"
    elif not tried:
        how = "it did not connect again"
    else:
        how = f"{len(tried)} connection(s), none of them authorized and synced"
    return bench.breach(
        Form.ABSENCE,
        f"{cell}: not back after {seconds(t - window.since)}: {how}{bench.exit_text()}",
        "back, authorized again, with one sync",
        # The window is written down when it ends.
        [_struck(bench, olds, window), *(c.accepted_record for c in tried[:3]), number],
        clause=cell,
    )


def _struck(bench: Bench, olds: list[Connection], window: r.Window) -> int:
    """The record with which the way back begins: a silence, the last loss of the sockets of before, or the fault."""
    silent = [c.silent[1] for c in olds if c.silent is not None and c.silent[0] >= window.since and c.loss is None]
    lost = [(c.loss.t, c.loss.record) for c in olds if c.loss is not None]
    faults = [n for _, n, fault in bench.talk.faults if fault.requested <= window.since]
    return (silent[:1] or [n for _, n in sorted(lost)[-1:]] or faults[-1:] or [1])[0]


def _never_left(olds: list[Connection], since: int) -> Connection | None:
    """A connection that fell silent and that the client did not give up."""
    return next((c for c in olds if c.silent is not None and c.silent[0] >= since and c.loss is None), None)
