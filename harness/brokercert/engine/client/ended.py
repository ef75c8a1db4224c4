"""How a client ended, in words: by itself, because it was asked, or by our hand. Read from the trace alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from brokercert.trace import Body, Trace
from brokercert.trace import records as r


def of_the_shown_start(records: Iterable[Body]) -> Sequence[Body]:
    """The records of the start that a reader is to see first: the first that ended unasked, else the latest."""
    starts: list[list[Body]] = [[]]
    for record in records:
        if isinstance(record, r.SubjectStarted) and record.start > 1:
            starts.append([])
        starts[-1].append(record)
    return next((one for one in starts if _ended_unasked(one)), starts[-1])


def _ended_unasked(records: Iterable[Body]) -> bool:
    """Whether the client ended by itself, before anything of ours ended it."""
    for record in records:
        if isinstance(record, r.EndedByUs | r.StopAsked):
            return False
        if isinstance(record, r.SubjectExited):
            return not record.asked
    return False


def how_it_ended(records: Iterable[Body]) -> str:
    """As the reports show it. What the harness did is never told as the client's doing."""
    exited: r.SubjectExited | None = None
    ours: r.EndedByUs | None = None
    for record in of_the_shown_start(records):
        if isinstance(record, r.SubjectExited):
            exited = record
        elif isinstance(record, r.EndedByUs):
            ours = record
    if exited is None:
        return "still running when it was ended"
    if ours is not None and ours.why == "unasked":
        return "ended by the harness without asking it to stop"
    how = f"signal {-exited.code}" if exited.code < 0 else f"exit {exited.code}"
    how += " (asked to stop)" if exited.asked else " (not asked)"
    if ours is None:
        return how
    if ours.why == "left-over":
        return f"{how}, and the harness ended {ours.processes} process(es) that it had left running"
    return f"{how}, and the harness ended it, since it was still there"


def has_client(trace: Trace) -> bool:
    """Whether a client ran in it: each that was started has its end told."""
    return any(isinstance(record, r.SubjectExited) for record in trace.records)
