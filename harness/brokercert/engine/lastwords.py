"""How a client ended and what it said last, as its trace shows it: the same for a run and for its saved traces."""

from __future__ import annotations

from brokercert.engine.output import TAIL_LINES
from brokercert.trace import Trace
from brokercert.trace import records as r


def ended_how(trace: Trace) -> str:
    """`exit 0 (asked to stop)`, `signal 9 (not asked)`, ..."""
    last = next((x for x in reversed(trace.records) if isinstance(x, r.SubjectExited)), None)
    if last is None:
        return "still running when it was ended"
    how = f"signal {-last.code}" if last.code < 0 else f"exit {last.code}"
    return f"{how} ({'asked to stop' if last.asked else 'not asked'})"


def last_lines(trace: Trace) -> tuple[str, ...]:
    """The last lines that it printed, reports left out. Secrets are labels."""
    lines = [x.text for x in trace.records if isinstance(x, r.SubjectOutput)]
    return tuple(lines[-TAIL_LINES:])
