"""An upgrade that is answered with 429: too many requests (TP §7.3)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.back_off import back_off
from brokercert.trace.names import WindowName
from brokercert.verdict import Finding

TOO_MANY = 429  # HTTP's status


@check("CON-045")
def check_429_on_upgrade(bench: Bench) -> Iterator[Finding]:
    """After an upgrade was answered with 429 the client lives on. Attempts stay inside the limits; none at all is as
    right.
    """
    if any(c.refused_status == TOO_MANY for c in bench.talk.connections.values()):
        yield from back_off(bench, WindowName.LOCKED_OUT, survives="429 on the upgrade")
