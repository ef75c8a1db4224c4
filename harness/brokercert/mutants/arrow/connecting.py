"""Defects of connecting, of credentials, of the events, of leaving, and of WebSocket itself."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from brokercert.mutants.arrow.mutant import mutant
from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.heart import Heart
from brokercert.reference.arrow.subject import ArrowSubject


class _SessionLess(OrderUpdatesClient):
    def url(self) -> str:
        return super().url().replace("session=", "sid=")


@mutant("no-session-in-the-query", "AOC-010", also="AOC-015", reason="the page's name of the parameter is `session`")
class NoSession(ArrowSubject):
    """Sends its session under another name."""

    client_class = _SessionLess


class _Raw(OrderUpdatesClient):
    def encoded(self, value: str) -> str:
        return value


@mutant("raw-query", "AOC-015", reason="all three samples interpolate raw text; `%` and `&` then mean something")
class RawQuery(ArrowSubject):
    """Puts its credentials into the address as they are."""

    client_class = _Raw


class _Hammering(OrderUpdatesClient):
    async def pause(self) -> bool:
        await asyncio.sleep(0.5)
        return True


@mutant(
    "hammers",
    "AOC-020 AOR-010 AOR-020 AOR-030 AOR-050",
    also="AOC-030",
    reason="two attempts a second, without a ladder, a count, or an end",
)
class Hammers(ArrowSubject):
    """Tries again every half second, whatever happened."""

    client_class = _Hammering


class _Speechless(OrderUpdatesClient):
    def fail(self, text: str) -> None:
        pass


@mutant("tells-nobody", "AOC-020 AOU-060", reason="neither a refused login nor an invalid update is reported")
class TellsNobody(ArrowSubject):
    """Keeps every failure to itself."""

    client_class = _Speechless


class _Loyal(OrderUpdatesClient):
    async def renew(self) -> bool:
        return False


@mutant("keeps-its-session", "AOC-025", reason="the session has timed out, and only a new one is accepted")
class KeepsItsSession(ArrowSubject):
    """Never renews its session."""

    client_class = _Loyal


def _mute(*names: str) -> type[OrderUpdatesClient]:
    class Mute(OrderUpdatesClient):
        def trigger(self, event: str, *details: Any) -> None:
            if event not in names:
                super().trigger(event, *details)

    return Mute


@mutant("message-never-raised", "AOC-030", reason="the JavaScript sample declares `message` and never triggers it")
class MessageMute(ArrowSubject):
    """Never raises `message`."""

    client_class = _mute("message")


@mutant("close-never-raised", "AOC-030", reason="the table: the WebSocket closes cleanly")
class CloseMute(ArrowSubject):
    """Never raises `close`."""

    client_class = _mute("close")


@mutant("error-never-raised", "AOC-030", reason="the table: a WebSocket error occurs, as a refused upgrade is")
class ErrorMute(ArrowSubject):
    """Never raises `error`."""

    client_class = _mute("error")


@mutant("reconnect-never-raised", "AOC-030", reason="the table: an automatic retry is in progress")
class ReconnectMute(ArrowSubject):
    """Never raises `reconnect`."""

    client_class = _mute("reconnect")


class _TwiceGone(OrderUpdatesClient):
    async def on_lost(self, socket: ClientConnection) -> None:
        await super().on_lost(socket)
        self.trigger("disconnect")


@mutant("disconnect-twice", "AOC-030", reason="one loss is one `disconnect`")
class TwiceGone(ArrowSubject):
    """Raises `disconnect` twice for a loss."""

    client_class = _TwiceGone


class _Returning(OrderUpdatesClient):
    async def disconnect(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        await asyncio.sleep(3600)


@mutant(
    "comes-back-after-disconnect",
    "AOC-040",
    reason="the Python sample's `disconnect` only closes the socket, and its close handler reconnects",
)
class Returning(ArrowSubject):
    """Closes its socket when it is asked to disconnect, and takes that for a loss."""

    client_class = _Returning


class _Goodbye(OrderUpdatesClient):
    async def disconnect(self) -> None:
        if self._socket is not None:
            await self._socket.send("à bientôt".encode("latin-1"), text=True)
        await super().disconnect()


@mutant(
    "says-goodbye-in-latin-1",
    "AOC-050",
    also={"AOC-040": "the broker ends the connection at the text, before the client's own close"},
    reason="a text frame that is not UTF-8 is none that a server may take",
)
class SaysGoodbyeInLatin1(ArrowSubject):
    """Says in Latin-1 that it leaves."""

    client_class = _Goodbye


class _Deaf(OrderUpdatesClient):
    async def beat(self, socket: ClientConnection, heart: Heart) -> None:
        protocol: Any = socket.protocol
        plainly = protocol.send_frame

        def write(frame: Frame) -> None:
            if frame.opcode is not Opcode.PONG:
                plainly(frame)

        protocol.send_frame = write
        await super().beat(socket, heart)


@mutant("never-answers-pings", "AOC-060", reason="the text `PONG` every 30 s is no answer to a ping")
class NeverAnswersPings(ArrowSubject):
    """Throws pings away."""

    client_class = _Deaf
