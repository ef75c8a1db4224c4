"""Defects of trying again where the server asks for rest."""

from __future__ import annotations

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient


@mutant("minds-no-429", "CON-045", reason="429 on the upgrade is met by attempts every two seconds")
class MindsNo429(ReferenceClient):
    """Tries again two seconds after a failed attempt once an upgrade was answered with 429."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        if self.lockout.until > 0:
            return 2.0
        return super().delay_after(end, backoff, refusals)
