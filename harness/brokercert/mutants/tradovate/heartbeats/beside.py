"""A silent server, of a socket that has a sound one for quotes beside it."""

from __future__ import annotations

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.quotes import BesideQuotes
from brokercert.reference.tradovate.session import Session


class _TrustingSession(Session):
    def on_silence(self, now: float) -> None:
        self._heard = now


@mutant(
    "no-watchdog-beside-quotes",
    "HBT-050",
    also={"REC-110": "its socket for quotes is back from a black hole, and the user's is not"},
    reason="the socket for quotes, which comes back in time, is no sign of giving up",
)
class NoWatchdogBesideQuotes(BesideQuotes):
    """Never minds how long nothing has come, and has a socket for quotes beside it that does."""

    session_class = _TrustingSession
