"""Defects of heartbeats, of keep-alives, and of noticing a server that is silent."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.client import ClientConnection, connect

from brokercert.mutants.arrow import heartbeats as first
from brokercert.mutants.arrow_2026.mutant import mutant
from brokercert.reference.arrow.client import OPEN_WAIT, OrderUpdatesClient
from brokercert.reference.arrow.edition3 import THIRD, ArrowSubject3, Edition3
from brokercert.reference.arrow.heart import HEARTBEAT, Heart


@mutant(
    "sends-ping",
    "AOH-310 AOH-320",
    also="AOU-350 AOU-352",
    reason="the page's text is `PONG`; its loop knows no read time-out",
)
class SendsPing(first.SendsPing):
    """Sends the text `PING` every 30 s, and does nothing else by the clock."""

    edition = THIRD


@mutant("pong-every-40-s", "AOH-310", also="AOH-315 AOU-350 AOU-352", reason="no edition has more than 30 s")
class LatePong(first.LatePong):
    """Sends `PONG` every 40 s."""

    edition = THIRD


class _MuteHeart(Heart):
    def due(self, now: float) -> bool:
        super().due(now)
        return False


class _OlderHeart(Heart):
    def __init__(self, every: float, read_timeout: float, now: float) -> None:
        super().__init__(30.0, read_timeout, now)


class _Changing(OrderUpdatesClient):
    later: type[Heart]

    async def live(self, socket: ClientConnection) -> None:
        """The first connection has the usual heart, each further one the other."""
        await super().live(socket)
        self.heart_class = self.later


class _MuteLater(_Changing):
    later = _MuteHeart


@mutant("beats-on-its-first-connection-only", "AOH-310", reason="the page wants a heartbeat on each connection")
class MuteLater(ArrowSubject3):
    """Starts its heartbeat timer once, and not again after a reconnect."""

    client_class = _MuteLater


class _SlowLater(_Changing):
    later = _OlderHeart


@mutant("beats-slowly-after-a-reconnect", "AOH-315", reason="the pace is that of each connection")
class SlowLater(ArrowSubject3):
    """Sends `PONG` every 3 s on its first connection, and every 30 s on each later one."""

    client_class = _SlowLater


class _OlderBeat(Edition3):
    pong_every = 30.0


@mutant("pong-every-30-s", "AOH-315", reason="the interval is the older page's")
class OlderPong(ArrowSubject3):
    """Sends `PONG` every 30 s."""

    edition = _OlderBeat()


@mutant("no-read-timeout", "AOH-320", reason="a silent server is never noticed")
class NoReadTimeout(first.NoReadTimeout):
    """Never minds how long nothing has come."""

    edition = THIRD


class _Polite(OrderUpdatesClient):
    async def open(self) -> ClientConnection:
        return await connect(
            self.url(), proxy=None, compression=None, ping_interval=None, open_timeout=OPEN_WAIT, close_timeout=None
        )


@mutant("waits-for-the-answer-to-its-close", "AOH-320", reason="a dead server answers no close frame")
class Polite(ArrowSubject3):
    """Gives a silent socket up, and waits for the answer to its close frame for ever."""

    client_class = _Polite


class _Lost(OrderUpdatesClient):
    timed_out = False

    async def on_lost(self, socket: ClientConnection) -> None:
        self.timed_out = socket.protocol.close_rcvd_then_sent is False  # the good-bye was ours
        await super().on_lost(socket)

    async def pause(self) -> bool:
        return await super().pause() and not self.timed_out


@mutant(
    "ends-its-own-timer",
    "AOH-320",
    reason="the vendor's own client clears all timers after a read time-out, that of the reconnect among them",
)
class EndsItsOwnTimer(ArrowSubject3):
    """Gives a silent socket up, and with it the timer of its own reconnect."""

    client_class = _Lost


class _OlderPatience(Edition3):
    read_timeout = 30.0


@mutant("read-timeout-30-s", "AOH-325", reason="the time-out is the older page's")
class OlderPatience(ArrowSubject3):
    """Notices silence after 30 s."""

    edition = _OlderPatience()


class _Squeamish(OrderUpdatesClient):
    def on_message(self, message: str | bytes) -> None:
        try:
            json.loads(message)
        except ValueError:
            if self._socket is not None:
                self.spawn(self._socket.close(1007))
        super().on_message(message)


@mutant("closes-on-what-is-no-json", "AOH-330 AOU-350", reason="a keep-alive need be no JSON, nor need anything else")
class Squeamish(ArrowSubject3):
    """Ends the connection on a text that is no JSON."""

    client_class = _Squeamish


class _SqueamishOnce(_Squeamish):
    tolerant = False

    def on_message(self, message: str | bytes) -> None:
        if self.tolerant:
            OrderUpdatesClient.on_message(self, message)
            return
        super().on_message(message)
        try:
            json.loads(message)
        except ValueError:
            self.tolerant = True


@mutant("closes-once-on-what-is-no-json", "AOH-330 AOU-350", reason="one connection is one too many")
class SqueamishOnce(ArrowSubject3):
    """Ends its connection on the first text that is no JSON, and minds no further one."""

    client_class = _SqueamishOnce


class _LeftOver(OrderUpdatesClient):
    connections = 0

    async def live(self, socket: ClientConnection) -> None:
        self.connections += 1
        extra = [asyncio.ensure_future(self._also(socket)) for _ in range(self.connections - 1)]
        try:
            await super().live(socket)
        finally:
            for task in extra:
                task.cancel()

    async def _also(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(self.config.pong_every)
            await socket.send(HEARTBEAT)


@mutant("a-timer-more-each-time", "AOH-340", also="AOH-315", reason="the timers of lost sockets send on the new one")
class LeftOver(ArrowSubject3):
    """Has one more heartbeat timer with each connection."""

    client_class = _LeftOver
