"""The next valid event after hostile frames: the client's own reports show whether it was processed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.hostile import Batch, Marker, batches, is_told, markers
from brokercert.verdict import Finding, Form

EXPECTED = "the next valid event is processed"


class Sent(NamedTuple):
    """The hostile batches, and the valid events that were sent before and after the first of them."""

    batches: list[Batch]
    before: list[Marker]
    after: list[Marker]

    def last_before(self, marker: Marker) -> Batch:
        return max((b for b in self.batches if b.record < marker.record), key=lambda batch: batch.record)

    @property
    def last(self) -> Batch:
        return max(self.batches, key=lambda batch: batch.record)


@check("MSG-015")
def check_next_event_processed(bench: Bench) -> Iterator[Finding]:
    """The next valid event after hostile frames is processed: the client reports it, on whatever socket it then has,
    as it reported one before anything hostile.
    """
    sent = _sent(bench)
    if sent is None:
        return
    if not any(_report_of(bench, marker) for marker in sent.before):
        yield _no_control(bench, sent)
        return
    for marker in sent.after:
        yield _processed(bench, marker, sent.last_before(marker))
    if bench.death() is not None and not any(marker.record > sent.last.record for marker in sent.after):
        yield bench.breach(
            Form.ENDING,
            f"after hostile frames the client ended, and processed no event any more{bench.exit_text()}",
            EXPECTED,
            [sent.last.record, *bench.left(sent.last.record)],
        )


def _sent(bench: Bench) -> Sent | None:
    """What was sent; nothing where nothing hostile was."""
    talk = bench.talk
    found = [batch for c in talk.synced for batch in batches(talk, c)]
    if not found:
        return None
    first = min(batch.record for batch in found)
    events = list(markers(talk))
    return Sent(found, [m for m in events if m.record < first], [m for m in events if m.record > first])


def _report_of(bench: Bench, marker: Marker) -> Report | None:
    return next(iter(_telling_of(marker, bench.talk.told.processed)), None)


def _telling_of(marker: Marker, reports: Iterable[Report]) -> list[Report]:
    """Those of the reports that tell of that event."""
    return [report for report in reports if is_told(report, marker.kind, marker.id)]


def _no_control(bench: Bench, sent: Sent) -> Finding:
    """The client reported no event before anything hostile: its silence afterwards would show nothing."""
    unknown = bench.short(
        "no event was reported before anything hostile either: either none of a type that it subscribes to could be"
        " sent, or it reports none",
        [marker.record for marker in sent.before],
    )
    late = bench.talk.told.late_answers("processed")
    return unless_held(bench, unknown, (x for x in late if any(is_told(x, m.kind, m.id) for m in sent.before)))


def _processed(bench: Bench, marker: Marker, last: Batch) -> Finding:
    """Whether that event was reported; `last` is the batch before it."""
    created = f"{marker.kind} {marker.id}, created after {len(last.sent)} hostile frames"
    report = _report_of(bench, marker)
    if report is not None:
        took = seconds(report.t - marker.t)
        evidence = [last.record, marker.record, report.record]
        return bench.ok(Form.SHOWN, f"{created}, was processed {took} later", evidence)
    until = bench.talk.connections[marker.conn].last_seen(bench.seen)
    watch = bench.owed(marker.t, bench.micros("window_default"), until)
    missed = watch.missing(
        f"{created} ({last.names}), was not processed in {watch}",
        EXPECTED,
        [last.record, marker.record],
        short=f"watched for {watch} after {marker.kind} {marker.id} only",
        seen=[marker.record],
    )
    if watch.short:
        return missed
    return unless_held(bench, missed, _telling_of(marker, bench.talk.told.late_answers("processed")))
