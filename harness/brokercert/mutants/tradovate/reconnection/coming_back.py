"""Defects of reconnecting."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient
from brokercert.reference.tradovate.requests import Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening


class _LateBackoff(Backoff):
    def next_delay(self, lasted: float) -> float:
        return 12.0


@mutant("waits-12-s-before-reconnecting", "REC-010 REC-015", reason="the first attempt is due within ten seconds")
class LateReturn(ReferenceClient):
    """Waits twelve seconds before every attempt."""

    backoff_class = _LateBackoff


class _ClimbingBackoff(Backoff):
    def next_delay(self, lasted: float) -> float:
        self._longest = 40.0  # seconds: beyond the ten within which an attempt is due
        return super().next_delay(0.0)


@mutant(
    "never-begins-its-ladder-anew",
    "REC-010",
    also="REC-015",
    reason="after a stable minute a loss is a first one, and its first attempt is due within ten seconds",
)
class Climbs(ReferenceClient):
    """Waits longer after each loss, however long it was connected in between."""

    backoff_class = _ClimbingBackoff


class _PausingBackoff(Backoff):
    pause = 0.0  # seconds: the longest so far


class _Pausing(ReferenceClient):
    """What made it wait once makes it wait before every attempt from then on."""

    backoff_class = _PausingBackoff

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        delay = super().delay_after(end, backoff, refusals)
        assert isinstance(backoff, _PausingBackoff)
        backoff.pause = max(backoff.pause, self.pause_after(end))
        return None if delay is None else max(delay, backoff.pause)

    def pause_after(self, end: End) -> float:
        """Seconds that this end asks for."""
        raise NotImplementedError


@mutant(
    "keeps-the-pause-after-a-refusal",
    "REC-010",
    reason="after a granted login a loss is one like any other, and its first attempt is due in ten seconds",
)
class KeepsRefusalsPause(_Pausing):
    """Waits for 27 s after a refused login, and before every attempt from then on."""

    def pause_after(self, end: End) -> float:
        return 27.0 if end.how is Happening.REFUSED else 0.0


class _PutOffQueue(RequestQueue):
    pauses: ClassVar[list[float]]  # seconds that tickets for authorize asked for

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        if request.endpoint != "authorize" or data.get("p-captcha") is True:
            super().on_ticket(request, data, now)
        else:
            self.pauses.append(data.get("p-time", 0))
            request.done(Outcome(0, None, "put off"), now)


@mutant(
    "keeps-the-pause-of-a-ticket",
    "REC-010",
    reason="after a granted login a loss is one like any other, and its first attempt is due in ten seconds",
)
class KeepsTicketsPause(_Pausing):
    """Gives its socket up when authorize draws a ticket, and waits as long before every attempt from then on."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)

        class Own(_PutOffQueue):
            pauses: ClassVar[list[float]] = []

        self.pauses = Own.pauses
        self.session_class = with_queue(Own)

    def pause_after(self, end: End) -> float:
        return max(self.pauses, default=0.0)


@mutant("minds-1000", "REC-015", reason="a recommendation: the server may close normally and come back")
class Minds1000(ReferenceClient):
    """Takes close code 1000 for the end of the day."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        return None if end.code == 1000 else super().delay_after(end, backoff, refusals)


@mutant(
    "never-reconnects",
    "REC-010 REC-015 LOG-080 HBT-060",
    also={
        "CON-010": "it makes one attempt, so that the end of a trouble is never seen",
        "CON-020": "it makes one attempt, so that the end of a trouble is never seen",
        "CON-030": "where it was lost before, it neither comes back after a bad certificate nor leaves",
        "CON-040": "it makes one attempt, so that the end of a trouble is never seen",
        "REC-110": "it does not come back, whatever the fault",
        "EVT-080": "a shard that is gone leaves its orders out of the state that is compared",
        "MSG-010": "it comes back from one loss only: after the malformed JSON it does not hear again",
    },
    reason="every row that asks for a way back; what comes after it is blocked",
)
class NeverReconnects(ReferenceClient):
    """Connects once, and never again."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        return None


class _RememberingSession(Session):
    def send_authorize(self, now: float) -> None:
        if self.store.entities:  # logged in once, logged in for ever
            self.happen(Happening.ACCEPTED, "", now)
            self.send_sync(now)
        else:
            super().send_authorize(now)


@mutant(
    "does-not-reauthenticate",
    "REC-020 HBT-060",
    also={
        "EVT-020": "what it does on the new socket it does unauthorized, its sync too",
        "CON-010": "a socket that is not authorized is no recovery",
        "CON-020": "a socket that is not authorized is no recovery",
        "CON-030": "a socket that is not authorized is no recovery",
        "CON-040": "a socket that is not authorized is no recovery",
        "REC-070": "it sends no token at all on the new socket, a fresh one neither",
        "REC-110": "a way back is authorized, whatever the fault",
    },
    reason="the new socket is never authorized, so that it is no way back",
)
class DoesNotReauthenticate(ReferenceClient):
    """Believes that it is still logged in on a new socket."""

    session_class = _RememberingSession


class _OnceSession(Session):
    def send_sync(self, now: float) -> None:
        if not self.store.entities:
            super().send_sync(now)


@mutant(
    "does-not-resync",
    "REC-030",
    also={
        "REC-035": "its subscriptions follow the sync's answer, and that never comes",
        "REC-110": "a way back has a sync, whatever the fault",
    },
    reason="the lane does not come back: nothing resumes without a sync",
)
class DoesNotResync(ReferenceClient):
    """Syncs once in its life."""

    session_class = _OnceSession


class _TwiceAfterSession(Session):
    def send_sync(self, now: float) -> None:
        super().send_sync(now)
        if self.store.entities:
            super().send_sync(now)


@mutant(
    "resyncs-twice",
    "REC-030",
    also={
        "EVT-010": "two syncs on one socket are two, wherever that is seen",
        "REC-110": "a way back has one sync",
        "RLP-020": "the second request, sent at once, may be a retry that comes too early: the stamps are equal",
        "RLP-030": "and it carries no ticket",
        "RLP-040": "and where the ticket is a captcha's, it may be a retry all the same",
        "EVT-080": "the second answer tells the older state once more, after the events that came before it",
        "CON-050": "a request that leaves twice on a slow way looks like the way's doing",
    },
    reason="one sync on the new socket",
)
class ResyncsTwice(ReferenceClient):
    """Sends two sync requests on every socket but its first."""

    session_class = _TwiceAfterSession


class _Storm(Backoff):
    def next_delay(self, lasted: float) -> float:
        return 0.2


@mutant(
    "reconnect-storm",
    "REC-050 CON-040 EVT-140",
    reason="five attempts a second for as long as the outage lasts, whichever kind it is of",
)
class Storm(ReferenceClient):
    """Tries again every 200 ms, whatever happens."""

    backoff_class = _Storm


class _Fixed(Backoff):
    def next_delay(self, lasted: float) -> float:
        return 2.0


@mutant(
    "fixed-delay-of-2-s",
    "REC-050 CON-040 EVT-140",
    reason="delays that neither grow nor are long: thirty attempts a minute, whichever kind of outage it is",
)
class FixedDelay(ReferenceClient):
    """Tries again every two seconds."""

    backoff_class = _Fixed


@mutant(
    "keeps-using-the-old-socket",
    "REC-060 LOG-040",
    also={
        "REQ-010": "it asks on the old socket under one id",
        "LOG-100": "it asks on a socket whose login came to nothing",
        "LOG-080": "it leaves no socket, so that only the next one, which its back-off delays, shows the giving up",
        "RLP-070": "it asks on the old socket in a lock-out as well",
    },
    reason="old and new socket carry requests together, and so does one whose token was refused",
)
class Zombie(ReferenceClient):
    """Leaves a socket open that the server has closed by `c[...]`, and asks on it every five seconds."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._zombies: list[asyncio.Task[None]] = []

    async def leave(self, ws: ClientConnection) -> None:
        if self._stop.is_set():
            for task in self._zombies:
                task.cancel()
            await super().leave(ws)
        else:
            self._zombies.append(asyncio.create_task(self._ask(ws)))

    async def _ask(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(5)
                await ws.send("account/list\n77\n\n")
