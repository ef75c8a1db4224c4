"""Defects of connecting, of credentials, of the events, of leaving, and of WebSocket itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.arrow import connecting as first
from brokercert.mutants.arrow_2026.mutant import mutant
from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.edition3 import THIRD, ArrowSubject3
from brokercert.reference.arrow.heart import Heart

LATE = 20.0  # seconds after the second connection was opened


class _Older(OrderUpdatesClient):
    def url(self) -> str:
        return super().url().replace("appID=", "session=")


@mutant("names-of-the-older-page", "AOC-310", also="AOC-015", reason="the name of the parameter is `appID`")
class Older(ArrowSubject3):
    """Sends its app's id under the older page's name, `session`."""

    client_class = _Older


@mutant("raw-query", "AOC-015", reason="the vendor's own client interpolates raw text; `%` and `&` then mean something")
class RawQuery(first.RawQuery):
    """Puts its credentials into the address as they are."""

    edition = THIRD


class _RawLater(OrderUpdatesClient):
    addresses = 0

    def url(self) -> str:
        self.addresses += 1
        return super().url()

    def encoded(self, value: str) -> str:
        return super().encoded(value) if self.addresses == 1 else value


@mutant("raw-query-after-a-loss", "AOC-015", reason="the address of each connection is encoded")
class RawLater(ArrowSubject3):
    """Encodes the query of its first connection only."""

    client_class = _RawLater


@mutant(
    "hammers",
    "AOC-020 AOR-310 AOR-312 AOR-315 AOR-020 AOR-030 AOR-345",
    also="AOC-330",
    reason="two attempts a second, without a ladder, a count, or an end",
)
class Hammers(first.Hammers):
    """Tries again every half second, whatever happened."""

    edition = THIRD


@mutant("tells-nobody", "AOC-020 AOU-060", reason="neither a refused login nor an invalid update is reported")
class TellsNobody(first.TellsNobody):
    """Keeps every failure to itself."""

    edition = THIRD


@mutant("keeps-its-token", "AOC-325", reason="the token has ended, and only a new one is accepted")
class KeepsItsToken(first.KeepsItsSession):
    """Never logs in again."""

    edition = THIRD


class _Once(OrderUpdatesClient):
    met = False

    def trigger(self, event: str, *details: Any) -> None:
        if event != "connect" or not self.met:
            super().trigger(event, *details)
        self.met = self.met or event == "connect"


@mutant("connect-raised-once", "AOC-330", reason="`connect` is of every connection")
class ConnectOnce(ArrowSubject3):
    """Raises `connect` for its first connection only."""

    client_class = _Once


@mutant("close-never-raised", "AOC-330", reason="the table: the WebSocket closes")
class CloseMute(first.CloseMute):
    """Never raises `close`."""

    edition = THIRD


@mutant("reconnect-never-raised", "AOC-330", reason="the table: an automatic retry is in progress")
class ReconnectMute(first.ReconnectMute):
    """Never raises `reconnect`."""

    edition = THIRD


@mutant(
    "comes-back-after-disconnect",
    "AOC-040",
    reason="a close that the client asked for is taken for a loss",
)
class Returning(first.Returning):
    """Closes its socket when it is asked to disconnect, and takes that for a loss."""

    edition = THIRD


class _DeafHeart(Heart):
    def heard(self, now: float) -> None:
        pass


class _OnlyUpdates(OrderUpdatesClient):
    heart_class = _DeafHeart
    heart: Heart | None = None

    async def beat(self, socket: ClientConnection, heart: Heart) -> None:
        self.heart = heart
        await super().beat(socket, heart)

    def on_update(self, update: Mapping[str, Any]) -> None:
        if self.heart is not None:
            Heart.heard(self.heart, self.heart.wake())
        super().on_update(update)


@mutant(
    "only-updates-are-life",
    "AOC-350 AOH-330",
    also="AOH-310 AOH-315 AOH-325 AOH-340 AOR-305 AOU-350 AOU-352",
    reason="between two updates keep-alives arrive, and the connection is given up all the same, again and again",
)
class OnlyUpdates(ArrowSubject3):
    """Begins its read time-out anew at order updates only."""

    client_class = _OnlyUpdates


class _OldTimer(OrderUpdatesClient):
    connections = 0

    async def live(self, socket: ClientConnection) -> None:
        self.connections += 1
        timer = asyncio.ensure_future(self._end(socket)) if self.connections == 2 else None
        try:
            await super().live(socket)
        finally:
            if timer is not None:
                timer.cancel()

    async def _end(self, socket: ClientConnection) -> None:
        await asyncio.sleep(LATE)
        await socket.close()


@mutant(
    "an-old-timer-ends-the-new-connection", "AOC-350", reason="the read time-out of the lost socket closes the next one"
)
class OldTimer(ArrowSubject3):
    """Ends its second connection by a timer of the first, once."""

    client_class = _OldTimer


@mutant(
    "says-goodbye-in-latin-1",
    "AOC-050",
    also={"AOC-040": "the broker ends the connection at the text, before the client's own close"},
    reason="a text frame that is not UTF-8 is none that a server may take",
)
class SaysGoodbyeInLatin1(first.SaysGoodbyeInLatin1):
    """Says in Latin-1 that it leaves."""

    edition = THIRD


@mutant("never-answers-pings", "AOC-060", reason="the text `PONG` is no answer to a ping")
class NeverAnswersPings(first.NeverAnswersPings):
    """Throws pings away."""

    edition = THIRD
