"""What a client said last, as its trace shows it: for saved traces, whose client is gone."""

from __future__ import annotations

from brokercert.engine.client.ended import of_the_shown_start
from brokercert.engine.client.output import TAIL_LINES
from brokercert.trace import Trace
from brokercert.trace import records as r


def last_lines(trace: Trace) -> tuple[str, ...]:
    """The last lines that it printed in the start that is shown, reports left out. Secrets are labels."""
    lines = [x.text for x in of_the_shown_start(trace.records) if isinstance(x, r.SubjectOutput)]
    return tuple(lines[-TAIL_LINES:])
