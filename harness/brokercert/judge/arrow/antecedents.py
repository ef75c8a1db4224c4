"""The antecedents of the Arrow rows, looked up in the fold (docs/design.md has the table)."""

from __future__ import annotations

from brokercert.judge.antecedents import CONNECTED, SECOND_ATTEMPT
from brokercert.judge.arrow.model import Updates
from brokercert.judge.judging import Antecedent

REFUSED = (401, 403)


def _refused(talk: Updates) -> bool:
    return any(c.refused_status in REFUSED for c in talk.connections.values())


ANTECEDENTS = {
    "connected": CONNECTED,
    "second-attempt": SECOND_ATTEMPT,
    "refused": Antecedent(_refused, "no credentials were refused"),
}
