"""The burst in which processing is timed: its messages with their reports, and how busy the machine was meanwhile.

A part of reading, for EVT-150; it decides nothing. Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from brokercert.judge.told import Report
from brokercert.judge.tradovate.model.conversation import Connection, Conversation
from brokercert.judge.tradovate.model.props import Prop, props_on
from brokercert.trace import records as r


@dataclass(frozen=True, slots=True)
class Timed:
    """A message of the burst: when it was written, when its report was read (`until`, where it never was)."""

    written: int
    read: int
    reported: Report | None

    @property
    def took(self) -> int:
        return self.read - self.written


def timed_in(talk: Conversation, window: r.Window) -> Iterator[Timed]:
    """The messages of the burst in the order of writing. The first report of each counts."""
    by_key, by_ordinal = _first_reports(talk.told.processed)
    for number, c in enumerate(talk.upgraded, 1):
        ordinals = _ordinals(c)
        for prop in props_on(c):
            if window.since <= prop.t <= window.t:
                found = by_key.get(prop.key) or by_ordinal.get((number, ordinals[prop.record]))
                yield _one(prop, found, window.t)


def _first_reports(
    processed: Sequence[Report],
) -> tuple[dict[tuple[str, str, str], Report], dict[tuple[int, int], Report]]:
    """The first report of each entity (type, id, event type), and of each message (connection, place)."""
    by_key: dict[tuple[str, str, str], Report] = {}
    by_ordinal: dict[tuple[int, int], Report] = {}
    for report in processed:
        body = report.body
        connection, message = body.get("connection"), body.get("message")
        if isinstance(connection, int) and isinstance(message, int):
            by_ordinal.setdefault((connection, message), report)
        key = (str(body.get("entityType")).lower(), str(body.get("id")), str(body.get("eventType")).lower())
        by_key.setdefault(key, report)
    return by_key, by_ordinal


def _one(prop: Prop, report: Report | None, until: int) -> Timed:
    if report is None or report.t < prop.t:
        return Timed(prop.t, until, None)
    return Timed(prop.t, report.t, report)


def _ordinals(c: Connection) -> dict[int, int]:
    """Record -> which text message of the connection it was, counted from 1 as a client does."""
    records = sorted([said.record for said in c.data_sent] + [beat.record for beat in c.server_beats])
    return {number: ordinal for ordinal, number in enumerate(records, 1)}


class Lags:
    """When the canary took too long, and how long it took otherwise.

    The canary is an echo process that runs beside the client. `samples` are (when it was asked, how long it took);
    one that took more than `most` lagged.
    """

    def __init__(self, samples: Sequence[tuple[int, int]], most: int) -> None:
        ordered = sorted(samples)
        late = [(at, at + took) for at, took in ordered if took > most]
        self.usual = [took for _, took in ordered if took <= most]
        self.none = not late
        self.worst = max((took for _, took in ordered), default=0)
        self._starts = [start for start, _ in late]
        self._ends = [end for _, end in late]
        self._sums = [0, *accumulate(end - start for start, end in late)]
        self._span = sum(ordered[-1]) - ordered[0][0] if ordered else 0

    @property
    def share(self) -> float:
        """How much of the time of the samples was lag."""
        return self._sums[-1] / self._span if self._span else 0.0

    def within(self, since: int, until: int) -> int:
        """How much of a time was lag. They do not overlap: it is asked one question at a time."""
        first, last = bisect_left(self._ends, since), bisect_left(self._starts, until)
        if first >= last:
            return 0
        total = self._sums[last] - self._sums[first]
        return total - max(0, since - self._starts[first]) - max(0, self._ends[last - 1] - until)


def value_at(values: Sequence[int], share: float) -> int:
    """The value that so many of them do not exceed; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-round(share * 1000) * len(ordered) // 1000) - 1))] if ordered else 0
