"""A silent server, of a socket that has a sound one for quotes beside it."""

from __future__ import annotations

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.quotes import BesideQuotes, Quotes, QuotesSession
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


class _TrustingQuotesSession(_TrustingSession, QuotesSession):
    pass


class _TrustingQuotes(Quotes):
    session_class = _TrustingQuotesSession


@mutant(
    "no-watchdog-of-quotes",
    "HBT-050",
    reason="a socket that syncs nothing is a connection to the broker as any other",
)
class NoWatchdogOfQuotes(BesideQuotes):
    """Minds how long nothing has come on the user's socket, and never on the one for quotes."""

    quotes_class = _TrustingQuotes


class _MuteSession(QuotesSession):
    def beat(self, now: float) -> None:
        pass

    def next_beat(self) -> float:
        return float("inf")


class _MuteQuotes(Quotes):
    session_class = _MuteSession


@mutant(
    "no-heartbeat-of-quotes",
    "HBT-010 HBT-020",
    also={
        "HBT-040": "it is silent while the broker sends nothing but `h`, too",
        "HBT-060": "the socket that takes its place does not beat either",
    },
    reason="a socket that syncs nothing is to beat as any other",
)
class NoHeartbeatOfQuotes(BesideQuotes):
    """Beats on the user's socket, and never on the one for quotes."""

    quotes_class = _MuteQuotes
