"""Defects of clients that do not know when to be quiet."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening


class _AskingAgain(Session):
    def on_sync(self, outcome: Outcome, now: float) -> None:
        if outcome.status == 429:
            self._requests._lockout.until = now
            self._sync_again = now + 5
        else:
            super().on_sync(outcome, now)


@mutant("asks-again-after-429", "RLP-070", reason="a request during the lock-out starts its hour again")
class AsksAgain(ReferenceClient):
    """Sends a sync request that was answered with 429 again after five seconds."""

    session_class = _AskingAgain


class _Hopeful(Session):
    welcome = False

    def on_authorize(self, outcome: Outcome, now: float) -> None:
        super().on_authorize(outcome, now)
        self.welcome = outcome.ok


@mutant(
    "a-login-ends-every-trouble", "EVT-140", reason="the ladder starts again with each login, that of a shutdown too"
)
class LoginEndsTrouble(ReferenceClient):
    """Starts its ladder of delays again with every socket that was authorized."""

    session_class = _Hopeful
    welcome = False

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        try:
            await super().pump(session, ws, wake)
        finally:
            self.welcome = isinstance(session, _Hopeful) and session.welcome

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        if self.welcome or end.how is Happening.SERVER_CLOSED:
            self.welcome = False
            end = End(end.how, self.config.stable_after, end.code)
        return super().delay_after(end, backoff, refusals)


@mutant("minds-no-429", "CON-045", reason="429 on the upgrade is met by attempts every two seconds")
class MindsNo429(ReferenceClient):
    """Tries again two seconds after a failed attempt once an upgrade was answered with 429."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        if self.lockout.until > 0:
            return 2.0
        return super().delay_after(end, backoff, refusals)
