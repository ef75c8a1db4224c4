"""Boarding: FP Boarding."""

from __future__ import annotations

import re
from collections.abc import Iterator

from brokercert.verdict import Finding, Form

from ferry_broker.judge.bench import FerryBench, check

BADGE = re.compile(r"^«badge#\d+»$")  # the label that a trace has in place of the badge


@check("FBO-010")
def check_connects(bench: FerryBench) -> Iterator[Finding]:
    """The client opens a WebSocket at the address that it was given."""
    opened = [c for c in bench.talk.connections.values() if c.upgraded is not None]
    if opened:
        yield bench.ok(Form.SHOWN, f"{len(opened)} WebSocket(s) opened", [opened[0].accepted_record])
        return
    if bench.talk.started is None:
        return
    watch = bench.owed(bench.talk.started, bench.micros("window_connect"))
    yield watch.missing(
        f"no WebSocket in {watch}",
        "a WebSocket at the address that it was given",
        [bench.talk.started_record],
        short=f"watched for {watch} only",
    )


@check("FBO-020")
def check_boards(bench: FerryBench) -> Iterator[Finding]:
    """The first message on each connection is `board`, with the badge that was given."""
    for c in bench.talk.upgraded:
        if not c.client_said:
            continue
        first = c.client_said[0]
        if first.op != "board" or not BADGE.match(str(first.body.get("badge", ""))):
            yield bench.breach(
                Form.CONTENT,
                f"connection {c.id} began with {first.op or 'something else'!r}, without the badge",
                "`board` with the badge that was given",
                [first.record],
            )
            return
    said = [c.client_said[0] for c in bench.talk.upgraded if c.client_said]
    if said:
        yield bench.ok(Form.SHOWN, f"{len(said)} connection(s) boarded with the badge", [one.record for one in said])
