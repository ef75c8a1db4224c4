"""A connection on which something arrives all the time (A3 Overview)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.arrow.bench import BOOK3, ArrowBench, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.verdict import Finding, Form


@check("AOC-350", BOOK3)
def check_stays(bench: ArrowBench) -> Iterator[Finding]:
    """On a connection on which something arrives every 2 s the client stays."""
    found = [_stayed(bench, c, opened) for c, opened in bench.opened if c.silent is None]
    # One connection that was watched for long enough shows the row. Any that the client left breaks it.
    told = [one for one in found if one.form is Form.ENDING] or [one for one in found if one.form is not None]
    yield from told or found[:1]


def _stayed(bench: ArrowBench, c: UpdateSocket, opened: Moment) -> Finding:
    """What came of a connection, up to its loss where that was none of the client's doing."""
    lost = c.loss is not None and c.loss.by != "client"
    watch = bench.barred(opened.t, bench.micros("window_healthy"), c.last_seen(bench.end) if lost else None)
    gone = c.given_up()
    if gone is not None and gone.t < min(watch.until, bench.owed_until):
        last = max((sent for sent in c.sent if sent.t <= gone.t), default=opened)
        return bench.breach(
            Form.ENDING,
            f"the client left connection {c.id} ({gone.how}) {seconds(gone.t - last.t)} after something had arrived",
            "it stays: nothing was wrong with the connection",
            [opened.record, last.record, gone.record],
        )
    said = f"it stayed on connection {c.id} for {watch}"
    return watch.kept(said, [opened.record], short=f"watched for {watch} only", survives="a healthy connection")
