"""The same trace as a slow machine would have recorded it: no two records at one moment.

In virtual time a cause and its effects share a moment. So a duration that is counted from another record than the one
that a finding cites looks right there, and is wrong in real time. On a spread trace it is wrong as well.
"""

from __future__ import annotations

from bisect import bisect_right
from random import Random

from msgspec.structs import replace

from brokercert.trace import Trace, trace_of
from brokercert.trace import records as r

APART = 1_300  # microseconds at the least: more than what a printed duration is rounded by, on both of its sides
WIDEST = 40_000  # microseconds at the most, so that no other pair of records is as far apart by chance
LATE = 2_000_000  # microseconds that the last record may be late by: a limit may be missed, the order stays


def spread(trace: Trace) -> Trace | None:
    """The trace with its records further apart, each by as much as its number draws; None: it has too many for that."""
    drawn, widest = Random(len(trace.records)), min(WIDEST, LATE // max(1, len(trace.records)))
    if widest <= 2 * APART:
        return None
    before = [record.t for record in trace.records]
    after: list[int] = []
    late = 0
    for n, t in enumerate(before):
        late += max(0, after[-1] + drawn.randint(APART, widest) - t - late) if n else 0
        after.append(t + late)

    def moved(t: int) -> int:
        """A moment that a record tells of beside its own: as far as the last record up to it."""
        at = bisect_right(before, t) - 1
        return t if at < 0 else after[at] + t - before[at]

    records: list[r.Body] = []
    for record, t in zip(trace.records, after, strict=True):
        if isinstance(record, r.Fault):
            records.append(replace(record, t=t, requested=moved(record.requested)))
        elif isinstance(record, r.Window | r.Stall):
            records.append(replace(record, t=t, since=moved(record.since)))
        else:
            records.append(replace(record, t=t))
    return trace_of(trace.header, records)
