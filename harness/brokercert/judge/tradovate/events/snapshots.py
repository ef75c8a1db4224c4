"""Snapshots: how large they may be, and how their parts become one (TP §5.3, §11 row 10)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.compared import compare_at
from brokercert.judge.tradovate.model.conversation import Answer, Connection
from brokercert.verdict import Finding, Form, Verdict

MIB = 1024 * 1024
SPLIT = "after the last part"  # the point of comparison
ONE_ID, WRAPPERS = "one id", "wrappers"  # readings of `split-snapshot` by which the parts are judged


@check("EVT-090")
def check_large_snapshot(bench: Bench) -> Iterator[Finding]:
    """A sync answer of 5 MiB is taken: the client does not close for 20 s. More than 1 MiB are enough where the volume
    is the small one of virtual time. Of several such answers one shows it, if none is followed by a close.
    """
    found = [_snapshot_taken(bench, c, answer) for c, answer in bench.talk.caught_up]
    ending = next((finding for finding in found if finding.form is Form.ENDING), None)
    if ending is not None:
        yield ending
    else:
        yield from [finding for finding in found if finding.verdict is Verdict.PASS] or found


def _snapshot_taken(bench: Bench, c: Connection, answer: Answer) -> Finding:
    """What became of a connection after its sync answer."""
    least = bench.limit("snapshot_size" if bench.header.full else "snapshot_size_small")
    size = _size(c, answer)
    gone = c.given_up()
    watched = c.last_seen(bench.seen) - answer.t
    if size < least:
        return bench.short(f"the snapshot had {size / MIB:.2f} MiB only", [answer.record])
    if gone is not None:
        return bench.breach(
            Form.ENDING,
            f"the client ended connection {c.id} ({gone.how}) {seconds(gone.t - answer.t)} after a snapshot of"
            f" {size / MIB:.2f} MiB{bench.exit_text()}",
            "a snapshot of 5 MiB is taken without closing",
            [answer.record, gone.record],
            [bench.count("bytes of the snapshot", size, None)],
        )
    if watched < bench.micros("window_default"):
        return bench.short(f"watched for {seconds(watched)} after the snapshot only", [answer.record])
    return bench.ok(Form.RESTRAINT, f"a snapshot of {size / MIB:.2f} MiB was taken", [answer.record])


def _size(c: Connection, answer: Answer) -> int:
    """The bytes of the frame that carried it."""
    return next((len(said.text.encode()) for said in c.data_sent if said.record == answer.record), 0)


@check("EVT-095")
def check_split_snapshot(bench: Bench) -> Iterator[Finding]:
    """Under a declared reading, *one id* or *wrappers*, a snapshot in several answers to one sync request is put
    together: the client's state equals the ledger.
    """
    if bench.header.readings.get("split-snapshot", "undeclared") not in (ONE_ID, WRAPPERS):
        if bench.talk.synced:
            yield bench.short("no document tells how the parts are put together, and the client declares no reading")
        return
    yield from compare_at(bench, SPLIT)
