"""Defects of taking messages that nobody should send."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from brokercert.mutants.mutant import mutant
from brokercert.reference import wire
from brokercert.reference.client import ReferenceClient
from brokercert.reference.session import Session


class _Crash(Exception):
    """What nobody catches."""


class _BrittleSession(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        if isinstance(item, wire.Unreadable) and item.why.startswith("an `a` frame"):
            raise _Crash(item.why)
        super().on_item(item, now)


@mutant("crashes-on-malformed-json", "MSG-010", reason="it dies of the first frame that is no JSON")
class Brittle(ReferenceClient):
    """Dies of malformed JSON."""

    session_class = _BrittleSession


class _PuzzledSession(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        if isinstance(item, wire.Unreadable) and item.why.startswith("a frame letter"):
            raise _Crash(item.why)
        super().on_item(item, now)


@mutant("crashes-on-an-unknown-letter", "MSG-020", reason="it dies of a frame letter that it does not know")
class Puzzled(ReferenceClient):
    """Dies of an unknown frame letter."""

    session_class = _PuzzledSession


class _ReopeningSession(Session):
    def on_open(self, now: float) -> None:
        before = self.state
        super().on_open(now)
        if self.state is before:
            self.send_authorize(now)


@mutant("authorizes-again-on-a-second-open", "MSG-020", reason="one authorize on a socket, whatever the server says")
class Reopening(ReferenceClient):
    """Sends authorize on every `o`."""

    session_class = _ReopeningSession


class _DeafSession(Session):
    deaf = False

    def on_item(self, item: wire.Item, now: float) -> None:
        if isinstance(item, wire.Unreadable) and item.why.startswith("an `a` frame"):
            self.deaf = True
        if not self.deaf:
            super().on_item(item, now)


@mutant("deaf-but-beating", "MSG-010", reason="after malformed JSON it beats for ever and hears nothing")
class DeafButBeating(ReferenceClient):
    """Stops reading after malformed JSON, while its heartbeat goes on."""

    session_class = _DeafSession

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        try:
            await super().pump(session, ws, wake)
        except ConnectionClosed:
            if not isinstance(session, _DeafSession) or not session.deaf:
                raise
            await self._stop.wait()  # the reader is dead, and nobody tells the rest of the program
