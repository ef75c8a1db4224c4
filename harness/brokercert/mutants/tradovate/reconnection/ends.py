"""Defects of taking an end of a connection for something else than a loss."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient
from brokercert.reference.tradovate.session import Session


class _Minding(ReferenceClient):
    """Stays away after one close code."""

    code: ClassVar[int]

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        return None if end.code == self.code else super().delay_after(end, backoff, refusals)


@mutant(
    "stays-away-after-1008",
    "REC-010",
    also="REC-110",
    reason="a server's policy may end a connection, and the market goes on",
)
class Minds1008(_Minding):
    """Takes close code 1008 for a ban, and stays away."""

    code = 1008


@mutant(
    "stays-away-after-1013",
    "REC-010",
    also="REC-110",
    reason="1013 asks a client to come again later, and later never comes",
)
class Minds1013(_Minding):
    """Takes close code 1013 for the end of the day, and stays away."""

    code = 1013


@mutant(
    "stays-away-after-a-close-without-a-code",
    "REC-015",
    reason="a close frame without a code says nothing, not that the client shall stay away",
)
class MindsNoCode(_Minding):
    """Takes a close frame without a code for a normal end, and stays away."""

    code = 1005


@mutant(
    "stays-away-after-a-private-code",
    "REC-015",
    reason="a private code has no published meaning, and so not that of staying away",
)
class Minds4000(_Minding):
    """Takes close code 4000 for a refusal, and stays away."""

    code = 4000


KNOWN = (1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 4000)


@mutant(
    "stays-away-after-a-code-that-it-does-not-know",
    "REC-010 REC-015",
    reason="a code that a client does not know says that the connection has ended, and no more",
)
class MindsUnknown(ReferenceClient):
    """Has a list of close codes from which it comes back, and stays away after any other."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        unknown = end.how == "lost" and end.code is not None and end.code not in KNOWN
        return None if unknown else super().delay_after(end, backoff, refusals)


class _OneCode(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        if not isinstance(item, wire.ServerClosing) or item.code == 3000:
            super().on_item(item, now)


@mutant(
    "knows-one-code-of-the-protocols-close",
    "REC-010 REC-015",
    reason="any `c[...]` ends the session, and its TCP connection may stay",
)
class KnowsOneCode(ReferenceClient):
    """Takes `c[3000,...]` for an end, and `c[...]` with any other code for nothing."""

    session_class = _OneCode


class _BareLetter(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        if not isinstance(item, wire.ServerClosing):  # none of them is the letter alone
            super().on_item(item, now)


@mutant(
    "waits-for-a-bare-c",
    "REC-010 REC-015",
    reason="the protocol's close is `c` with its code and reason behind it",
)
class WaitsForBareC(ReferenceClient):
    """Compares the whole frame with `c`, and so misses every `c[...]`."""

    session_class = _BareLetter


class _MindingReasons(Session):
    reasons: ClassVar[tuple[str, ...]]
    minds = False

    def on_event(self, kind: str, data: Any, now: float) -> None:
        super().on_event(kind, data, now)
        self.minds = self.minds or (kind == "shutdown" and data.get("reasonCode") in self.reasons)


class _StaysAway(ReferenceClient):
    stays = False

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        try:
            await super().pump(session, ws, wake)
        finally:
            self.stays = isinstance(session, _MindingReasons) and session.minds

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        return None if self.stays else super().delay_after(end, backoff, refusals)


class _MindingMaintenance(_MindingReasons):
    reasons = ("Maintenance",)


@mutant("stays-away-after-a-shutdown", "REC-010", reason="maintenance ends, and the market goes on")
class StaysAwayAfterShutdown(_StaysAway):
    """Takes `shutdown` for maintenance for the end of the session, and never comes back."""

    session_class = _MindingMaintenance


class _MindingQuotas(_MindingReasons):
    reasons = ("ConnectionQuotaReached", "IPQuotaReached")


@mutant("stays-away-after-a-quota", "REC-015", reason="a recommendation: staying away from a quota may be meant")
class StaysAwayAfterQuota(_StaysAway):
    """Never comes back from a `shutdown` for a quota."""

    session_class = _MindingQuotas
