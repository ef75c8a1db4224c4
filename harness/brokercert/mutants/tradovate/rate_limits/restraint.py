"""Defects of clients that ask on where they are locked out."""

from __future__ import annotations

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import INFINITE, Session
from brokercert.reference.tradovate.states import State


class _AnyAnswerSession(Session):
    again = INFINITE

    def on_item(self, item: wire.Item, now: float) -> None:
        super().on_item(item, now)
        if isinstance(item, wire.Reply) and item.status != 200 and self.state in (State.AUTHORIZED, State.LIVE):
            self.again = now + 1  # a second later, so that it cannot have been on its way already

    def tick(self, now: float) -> None:
        if now >= self.again:
            self.again = INFINITE
            ident = self._requests._next_id
            self._requests._next_id += 1
            self._out.append(wire.write_request("authorize", ident, body=self._token))
        super().tick(now)

    def due(self) -> float:
        return min(super().due(), self.again)


@mutant(
    "takes-any-answer-for-the-logins",
    "RLP-070",
    reason="429 to another request is met by authorize, a request in the lock-out",
)
class AnyAnswer(ReferenceClient):
    """Looks at an answer's status and not at its id: one that is no 200 means logged off, and it authorizes again."""

    session_class = _AnyAnswerSession


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
