"""The hostile frames that a saved trace holds, in the order in which they were sent."""

from __future__ import annotations

import base64

from brokercert.hostile import Hostile
from brokercert.judge.tradovate.model.hostile import BEGINS, ENDS
from brokercert.trace import Trace
from brokercert.trace import records as r


def hostile_frames(trace: Trace) -> list[Hostile]:
    """Frames and raw bytes between the records that say where they begin and end; those of several sockets once."""
    found: list[Hostile] = []
    within = 0
    for record in trace.records:
        if isinstance(record, r.RuleApplied) and record.name in (BEGINS, ENDS):
            within = record.conn if record.name == BEGINS else 0
        elif within and isinstance(record, r.Frame) and record.sender == "broker" and record.conn == within:
            found.append(Hostile("frame", "of-a-trace", record.text or ""))
        elif within and isinstance(record, r.Raw) and record.conn == within:
            found.append(Hostile("websocket", "of-a-trace", "", base64.b64decode(record.base64)))
    return found
