"""Defects of taking messages that nobody should send."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.session import Session


class _Crash(Exception):
    """What nobody catches."""


class _BrittleSession(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        if isinstance(item, wire.Unreadable) and item.why.startswith("an `a` frame"):
            raise _Crash(item.why)
        super().on_item(item, now)


@mutant(
    "crashes-on-malformed-json",
    "MSG-010",
    also="MSG-015 MSG-030 MSG-050",
    reason="it dies of the first frame that is no JSON, whatever else its scenario is about",
)
class Brittle(ReferenceClient):
    """Dies of malformed JSON."""

    session_class = _BrittleSession


class _PuzzledSession(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        if isinstance(item, wire.Unreadable) and item.why.startswith("a frame letter"):
            raise _Crash(item.why)
        super().on_item(item, now)


@mutant(
    "crashes-on-an-unknown-letter",
    "MSG-020",
    also="MSG-015 MSG-050",
    reason="it dies of a frame letter that it does not know",
)
class Puzzled(ReferenceClient):
    """Dies of an unknown frame letter."""

    session_class = _PuzzledSession


class _ReopeningSession(Session):
    def on_open(self, now: float) -> None:
        before = self.state
        super().on_open(now)
        if self.state is before:
            self.send_authorize(now)


@mutant(
    "authorizes-again-on-a-second-open",
    "MSG-020",
    also="LOG-020",
    reason="one authorize on a socket, whatever the server says",
)
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


@mutant(
    "deaf-but-beating",
    "MSG-010",
    also="MSG-015 MSG-030 MSG-050",
    reason="after malformed JSON it beats for ever and hears nothing",
)
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


class _NumbSession(Session):
    numb = False

    def on_item(self, item: wire.Item, now: float) -> None:
        self.numb = self.numb or (isinstance(item, wire.Unreadable) and item.why.startswith("an `a` frame"))
        super().on_item(item, now)

    def on_event(self, kind: str, data: Any, now: float) -> None:
        if not self.numb:
            super().on_event(kind, data, now)


@mutant(
    "numb-but-alive",
    "MSG-015",
    reason="after malformed JSON it answers, beats and recovers, and no event is processed any more on that socket",
)
class Numb(ReferenceClient):
    """Takes no event any more after malformed JSON, and goes on with everything else."""

    session_class = _NumbSession


class _TrustingSession(Session):
    def on_event(self, kind: str, data: Any, now: float) -> None:
        if kind == "props":
            entity = data["entity"]
            for one in entity if isinstance(entity, list) else [entity]:
                if not isinstance(one["id"], int):
                    raise _Crash("an id that is no number")
        super().on_event(kind, data, now)


@mutant(
    "trusts-the-fields",
    "MSG-030",
    also="MSG-015 MSG-050",
    reason="it dies of the first event whose data, entity or id is missing or of another type",
)
class Trusting(ReferenceClient):
    """Reads an event's fields without a look at whether they are there."""

    session_class = _TrustingSession


class _LookingUpSession(Session):
    def on_event(self, kind: str, data: Any, now: float) -> None:
        named = data.get("entityType") if isinstance(data, dict) else None
        if isinstance(named, list | dict):
            raise _Crash("a type that no table can be asked for")
        super().on_event(kind, data, now)


@mutant(
    "looks-up-any-type",
    "MSG-030",
    also="MSG-015 MSG-050",
    reason="it dies of the first event whose entity type is a list or an object",
)
class LooksUp(ReferenceClient):
    """Looks an event's entity type up in its tables, whatever it is."""

    session_class = _LookingUpSession


@mutant(
    "stays-away-after-a-violation",
    "MSG-040",
    reason="its library fails the connection, and no recovery follows",
)
class Offended(ReferenceClient):
    """Does not reconnect where its own library failed the connection."""

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        try:
            await super().pump(session, ws, wake)
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code in (1002, 1007) and not error.rcvd_then_sent:
                await self._stop.wait()
            raise


class _CountingSession(Session):
    patience = 100  # bad frames; the runs of named defects have fewer

    def on_item(self, item: wire.Item, now: float) -> None:
        if isinstance(item, wire.Unreadable) and "element" not in item.why:
            self.patience -= 1
            if not self.patience:
                raise _Crash("a buffer of bad frames is full")
        super().on_item(item, now)


@mutant(
    "keeps-every-bad-frame",
    "MSG-050",
    also="MSG-015",
    reason="it takes every named defect, and dies of the number of bad frames in a long run",
)
class Keeping(ReferenceClient):
    """Keeps bad frames for later, in a buffer that ends the program when it is full."""

    session_class = _CountingSession
