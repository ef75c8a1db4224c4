"""Defects of coming back after a `shutdown`."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening


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
