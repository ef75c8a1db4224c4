"""Defects of heartbeats."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient
from brokercert.reference.tradovate.session import INFINITE, Session
from brokercert.reference.tradovate.states import Happening, State


@mutant(
    "heartbeat-every-40-s",
    "HBT-010 HBT-020 HBT-030 HBT-040",
    also={
        "HBT-060": "a client is back only when it beats, within a heartbeat's limit",
        "MSG-010": "alive is shown by the next heartbeat on time",
        "MSG-020": "alive is shown by the next heartbeat on time",
        "RLP-080": "in a penalty of 75 s there is a gap of 40 s",
        "MSG-030": "alive is shown by the next heartbeat on time",
    },
    reason="no gap above 33 s is allowed, and every probe waits for the next heartbeat as long",
)
class SlowHeart(ReferenceClient):
    """Sends a heartbeat every 40 s."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, heartbeat_every=40.0)


class _RestartedSession(Session):
    def request(self, *arguments: Any, now: float, **more: Any) -> None:
        super().request(*arguments, now=now, **more)
        self._grid, self._beats = now, 0


@mutant(
    "beats-where-nothing-else-was-sent",
    "HBT-010 HBT-020",
    reason="a request is no heartbeat: these come regularly, whatever else is sent",
)
class RestartedTimer(ReferenceClient):
    """Begins to count to its next heartbeat anew with each request that it sends."""

    session_class = _RestartedSession


@mutant("heartbeat-every-8-s", "HBT-020", reason="inside the page's 30 s, above the protocol's 5 s")
class LazyHeart(ReferenceClient):
    """Sends a heartbeat every 8 s."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, heartbeat_every=8.0)


@mutant(
    "beats-slower-after-each-loss",
    "HBT-020",
    reason="the cadence is every socket's: its third one has 7.5 s between heartbeats",
)
class TiredHeart(ReferenceClient):
    """Makes the time between its heartbeats 2.5 s longer with each socket that it loses."""

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        try:
            await super().pump(session, ws, wake)
        finally:
            if session.live_since is not None:
                self.config = dataclasses.replace(self.config, heartbeat_every=session.config.heartbeat_every + 2.5)


class _EchoSession(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        super().on_item(item, now)
        if isinstance(item, wire.ServerBeat):
            self._out.append(wire.HEARTBEAT)

    def beat(self, now: float) -> None:
        pass

    def next_beat(self) -> float:
        return float("inf")


_BESIDE = "nor while the client asks so much that answers take the place of `h`"


@mutant(
    "echoes-the-servers-beat",
    "HBT-030",
    also={"HBT-010": _BESIDE, "HBT-020": _BESIDE},
    reason="`h` does not come while data streams",
)
class EchoHeart(ReferenceClient):
    """Sends a heartbeat only in answer to `h`."""

    session_class = _EchoSession


TIMER = 0.05  # seconds: a pause that a timer may call 2.5 s


class _PauseSession(Session):
    def receive(self, text: str, now: float) -> None:
        if self.state is not State.WAITING and now - self._heard >= self.config.heartbeat_every - TIMER:
            self._out.append(wire.HEARTBEAT)
        super().receive(text, now)

    def beat(self, now: float) -> None:
        pass

    def next_beat(self) -> float:
        return INFINITE


@mutant(
    "beats-only-after-a-pause",
    "HBT-030",
    also={"HBT-010": _BESIDE, "HBT-020": _BESIDE},
    reason="while data streams nothing pauses for 2.5 s, and no beat goes out",
)
class BeatsAfterPauses(ReferenceClient):
    """Sends a heartbeat only where nothing was received for 2.5 s."""

    session_class = _PauseSession


class _PingingSession(Session):
    def beat(self, now: float) -> None:
        pass

    def next_beat(self) -> float:
        return INFINITE


@mutant(
    "takes-the-protocols-ping-for-the-heartbeat",
    "HBT-010 HBT-020 HBT-030 HBT-040",
    also={
        "HBT-060": "a client is back only when it beats, within a heartbeat's limit",
        "MSG-010": "alive is shown by the next heartbeat on time",
        "MSG-020": "alive is shown by the next heartbeat on time",
        "MSG-030": "alive is shown by the next heartbeat on time",
        "MSG-050": "alive is shown by the next heartbeat on time",
        "EVT-110": "alive is shown by the next heartbeat on time",
        "RLP-080": "a penalty passes without a heartbeat",
        "HBT-080": "a new socket has no heartbeat",
    },
    reason="a ping of WebSocket is no message of the protocol, and no `[]` ever goes out",
)
class PingsForBeats(ReferenceClient):
    """Sends the protocol's own ping every 2.5 s, and no heartbeat."""

    session_class = _PingingSession

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        pinging = asyncio.create_task(self._ping(ws))
        try:
            await super().pump(session, ws, wake)
        finally:
            pinging.cancel()

    async def _ping(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.config.heartbeat_every)
                await ws.ping()


class _DataDrivenSession(Session):
    last_event = 0.0

    def on_event(self, kind: str, data: Any, now: float) -> None:
        self.last_event = now
        super().on_event(kind, data, now)

    def beat(self, now: float) -> None:
        if now - self.last_event < 20 or self.live_since is None:
            super().beat(now)
        elif now >= self.next_beat():
            self._beats += 1


@mutant(
    "sleeps-in-a-quiet-market",
    "HBT-040",
    also="HBT-010 HBT-020",
    reason="nothing but `h` comes for more than a minute, and no heartbeat goes out in it",
)
class QuietHeart(ReferenceClient):
    """Stops its heartbeats when no event came for twenty seconds."""

    session_class = _DataDrivenSession


class _DataWatchdogSession(Session):
    last_event = 0.0

    def on_event(self, kind: str, data: Any, now: float) -> None:
        self.last_event = now
        super().on_event(kind, data, now)

    def tick(self, now: float) -> None:
        if now >= self.looks_at():
            self.happen(Happening.SILENT, "no event for thirty seconds", now)
        super().tick(now)

    def looks_at(self) -> float:
        return INFINITE if self.live_since is None else max(self.live_since, self.last_event) + 30

    def due(self) -> float:
        return min(super().due(), self.looks_at())


@mutant(
    "takes-a-quiet-market-for-a-dead-one",
    "HBT-040 LOG-060",
    reason="`h` counts as a sign of life, and a server that sends it is healthy",
)
class DataWatchdog(ReferenceClient):
    """Gives its connection up when no event came for thirty seconds, whatever else came."""

    session_class = _DataWatchdogSession


ALIVE_ON_A_NEW_SOCKET = "alive is shown by the next heartbeat on time, here on a second socket"

NO_BEAT_AFTER_A_LOSS = "the row is asked of a socket after a loss too, and that one has no heartbeat"


class _HeartlessSession(Session):
    dead = False

    def beat(self, now: float) -> None:
        if not self.dead:
            super().beat(now)

    def next_beat(self) -> float:
        return INFINITE if self.dead else super().next_beat()


@mutant(
    "heart-dies-with-its-socket",
    "HBT-060 HBT-080",
    also={
        "MSG-010": ALIVE_ON_A_NEW_SOCKET,
        "MSG-020": ALIVE_ON_A_NEW_SOCKET,
        "MSG-030": ALIVE_ON_A_NEW_SOCKET,
        "MSG-050": ALIVE_ON_A_NEW_SOCKET,
        "EVT-110": ALIVE_ON_A_NEW_SOCKET,
        "HBT-010": NO_BEAT_AFTER_A_LOSS,
        "HBT-020": NO_BEAT_AFTER_A_LOSS,
        "HBT-030": NO_BEAT_AFTER_A_LOSS,
        "HBT-040": NO_BEAT_AFTER_A_LOSS,
        "RLP-080": NO_BEAT_AFTER_A_LOSS,
    },
    reason="a client is back when it beats again, within a heartbeat's limit, and its new socket has no heartbeat",
)
class HeartDies(ReferenceClient):
    """Ends its heartbeat timer where it finds the socket closed, and starts none for the next."""

    session_class = _HeartlessSession

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dead: set[int] = set()  # lanes, by their stores

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        assert isinstance(session, _HeartlessSession)
        session.dead = id(session.store) in self._dead
        try:
            await super().pump(session, ws, wake)
        finally:
            if session.live_since is not None:
                self._dead.add(id(session.store))


class _TrustingSession(Session):
    def on_silence(self, now: float) -> None:
        self._heard = now


@mutant(
    "no-watchdog",
    "HBT-050",
    also={"REC-110": "a connection that falls silent is one of the faults of every phase"},
    reason="a silent server is never noticed",
)
class NoWatchdog(ReferenceClient):
    """Never minds how long nothing has come."""

    session_class = _TrustingSession


@mutant(
    "stays-away-after-going-away",
    "HBT-060 REC-010",
    also={
        "REC-110": "that close is one of the faults of every phase",
        "REC-015": "a server that shuts down over a quota ends the connection so, too",
    },
    reason="the close that an idle limit would send is 1001, and so is one of the losses",
)
class StaysAway(ReferenceClient):
    """Takes close code 1001 for the end of the day."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        return None if end.code == 1001 else super().delay_after(end, backoff, refusals)


class _SilentNoReturn(ReferenceClient):
    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        gave_up_itself = end.how != "lost" and end.lasted > 0
        return None if gave_up_itself else super().delay_after(end, backoff, refusals)


@mutant(
    "notices-and-stays-away",
    "HBT-060 REC-010",
    reason="it gives a silent server up, and a session that the server closed, and does not come back",
)
class NoticesAndStaysAway(_SilentNoReturn):
    """Does not come back from a connection that it gave up itself."""
