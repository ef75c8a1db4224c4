"""A fault in a phase of a connection's life, and the way back from it: S2 §5.

A scenario vouches by a window `cell: FAULT, PHASE` from when the fault struck; all else is read from the frames.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, Noted
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.compared import compare_at
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Loss, Request
from brokercert.judge.tradovate.model.syncs import one_sync
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Verdict

CELL = "cell: "
AFTER = "after the loss"  # the point at which the client's state is compared


@check("REC-110")
def check_recovers_in_every_phase(bench: Bench) -> Iterator[Finding]:
    """After the fault, whatever the phase, the client is back on a new socket: authorized first, then one sync."""
    for mark in bench.talk.windows:
        if mark.what.name.startswith(CELL):
            yield from _way_back(bench, mark)


@check("REC-115")
def check_state_in_every_phase(bench: Bench) -> Iterator[Finding]:
    """And its state equals the ledger, whatever was filled, cancelled, rejected, deleted or placed meanwhile."""
    yield from compare_at(bench, AFTER)


def _way_back(bench: Bench, mark: Noted[r.Window]) -> Iterator[Finding]:
    cell, since = mark.what.name.removeprefix(CELL), mark.what.since
    back = next(((c, synced) for c, synced in bench.talk.caught_up if c.accepted > since), None)
    if back is None:
        yield _not_back(bench, cell, mark)
    else:
        yield from _back(bench, cell, mark, back[0].requests[0], back[1])


def _back(bench: Bench, cell: str, mark: Noted[r.Window], first: Request, synced: Answer) -> Iterator[Finding]:
    """It came back with the request `first` on a new socket, and was synced there."""
    since = mark.what.since
    if first.endpoint != "authorize":
        yield bench.breach(
            Form.CONTENT,
            f"{cell}: the first request on new connection {first.conn} was `{first.endpoint}`",
            "authorize before any other request",
            [first.record],
            clause=cell,
        )
        return
    news = [c for c in bench.talk.synced if c.accepted > since]
    wrong = [f for f in one_sync(bench, news) if f.verdict is not Verdict.PASS]
    yield from wrong
    if not wrong:
        yield bench.ok(
            Form.RESTRAINT,
            f"{cell}: authorized and synced again {seconds(synced.t - since)} later, once",
            [first.record, synced.record, mark.record],
            clause=cell,
        )


def _not_back(bench: Bench, cell: str, mark: Noted[r.Window]) -> Finding:
    """It did not come back: a breach once it had all the time that it may take."""
    since = mark.what.since
    olds, tried = _before_and_after(bench, since)
    deaf = _never_left(olds, since) if not tried else None  # a new socket gives the old one up
    watch = bench.owed(since, _due(bench, olds, deaf, since) - since, mark.t)
    return watch.missing(
        f"{cell}: not back after {watch}: {_how_far(deaf, tried)}",
        "back, authorized again, with one sync",
        # The window is written down when it ends.
        [_struck(bench, olds, since), *(c.accepted_record for c in tried[:3]), mark.record],
        clause=cell,
        short=f"{cell}: watched for {watch} only",
        seen=[mark.record],
    )


def _before_and_after(bench: Bench, since: int) -> tuple[list[Connection], list[Connection]]:
    connections = bench.talk.connections.values()
    return [c for c in connections if c.accepted <= since], [c for c in connections if c.accepted > since]


def _due(bench: Bench, olds: list[Connection], deaf: Connection | None, since: int) -> int:
    """By when it must be back: it has to notice a silence first."""
    began = max([since, *(loss.t for loss in _losses(olds))])
    return since + bench.micros("silence") if deaf else began + bench.micros("window_recovery")


def _losses(sockets: list[Connection]) -> list[Loss]:
    return [c.loss for c in sockets if c.loss is not None]


def _how_far(deaf: Connection | None, tried: list[Connection]) -> str:
    """How far the client came on its way back."""
    if deaf:
        return f"connection {deaf.id} was never given up"
    if not tried:
        return "it did not connect again"
    return f"{len(tried)} connection(s), none of them authorized and synced"


def _struck(bench: Bench, olds: list[Connection], since: int) -> int:
    """The record with which the way back begins: a silence, the last loss of the sockets of before, or the fault."""
    deaf = _never_left(olds, since)
    if deaf is not None and deaf.silent is not None:
        return deaf.silent.record
    lost = [Moment(loss.t, loss.record) for loss in _losses(olds)]
    return max(lost).record if lost else _last_fault(bench, since)


def _last_fault(bench: Bench, since: int) -> int:
    """The record of the last fault that was asked for by then; without one, the first of the trace."""
    faults = [fault.record for fault in bench.talk.faults if fault.what.requested <= since]
    return faults[-1] if faults else 1


def _never_left(olds: list[Connection], since: int) -> Connection | None:
    """A connection that fell silent and that the client did not give up."""
    return next((c for c in olds if c.silent is not None and c.silent.t >= since and c.loss is None), None)
