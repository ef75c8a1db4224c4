"""How a client ended, in words: by itself, because it was asked, or by our hand. Read from the trace alone."""

from __future__ import annotations

from collections.abc import Iterable

from brokercert.trace import Body, Trace
from brokercert.trace import records as r


def how_it_ended(records: Iterable[Body]) -> str:
    """As the reports show it. What the harness did is never told as the client's doing."""
    exited: r.SubjectExited | None = None
    ours: r.EndedByUs | None = None
    for record in records:
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
