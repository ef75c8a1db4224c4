"""The first step of a login: the connection and its upgrade (S2 §1)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.trace.names import FaultName
from brokercert.verdict import Finding, Form


@check("LOG-010")
def check_connect(bench: Bench) -> Iterator[Finding]:
    """From the accepted TCP connection to the complete upgrade, every socket of the exclusive scenario; elsewhere
    only that the client connects at all.
    """
    talk = bench.talk
    if talk.started is None:
        return
    heads = [c for c in talk.connections.values() if c.head]
    if not heads and _was_barred(bench):
        return  # what was in its way says what became of it: one defect fails one row
    if not heads:
        yield _never_asked(bench, talk.started)
    elif not bench.header.exclusive:
        yield bench.ok(Form.SHOWN, f"connected, {len(heads)} upgrade(s)", records_of(heads[0].head))
    else:
        yield from _times(bench, heads)


def _was_barred(bench: Bench) -> bool:
    """Whether its name did not resolve, or a bad certificate stood there, when the client was started."""
    barring = (FaultName.NAME, FaultName.TLS)
    over = (FaultName.NAME_RESOLVES, f"{FaultName.TLS}good")
    early = (fault for fault in bench.talk.faults if fault.record < bench.talk.started_record)
    return any(fault.what.name.startswith(barring) and fault.what.name not in over for fault in early)


def _never_asked(bench: Bench, started: int) -> Finding:
    talk, window = bench.talk, bench.limit("window_first_authorize")
    watch = bench.owed(started, bench.micros("window_first_authorize"))
    seen = f"{len(talk.connections)} TCP connection(s) and no upgrade request" if talk.connections else "nothing"
    accepted = [c.accepted_record for c in talk.connections.values()]
    return watch.missing(
        f"the client sent {seen} in {watch}",
        f"a WebSocket upgrade request within {window:g} s of the client's start",
        [talk.started_record, *accepted, *records_of(bench.ending)],
        short=f"the client was watched for {watch} only, and sent {seen}",
        seen=[],
    )


def _times(bench: Bench, heads: list[Connection]) -> Iterator[Finding]:
    limit = bench.limit("connect")
    for c in heads:
        if c.upgraded is None:
            continue
        begin = max(c.accepted, c.last_rest or 0)  # a kept-alive connection is free for other work before
        took = c.upgraded.t - begin
        yield bench.against(
            bench.time("TCP accept to complete upgrade", took, limit),
            observed=f"connection {c.id} was complete {seconds(took)} after its TCP connection was accepted",
            expected=f"a complete upgrade within {limit:g} s",
            evidence=[c.accepted_record, c.upgraded.record],
        )
