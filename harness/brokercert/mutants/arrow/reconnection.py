"""Defects of coming back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from brokercert.mutants.arrow.mutant import mutant
from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.config import Config
from brokercert.reference.arrow.ladder import Ladder
from brokercert.reference.arrow.subject import ArrowSubject


class _Uncapped(Ladder):
    def next(self) -> float | None:
        if super().next() is None:
            return None
        return 2.0 ** (self.attempt - 1)


class _UncappedClient(OrderUpdatesClient):
    ladder_class = _Uncapped


@mutant("uncapped-ladder", "AOR-010", also="AOR-020", reason="no delay is above `reconnectMaxDelay`")
class UncappedLadder(ArrowSubject):
    """Doubles its delays without an end."""

    client_class = _UncappedClient


class _Steady(Ladder):
    def next(self) -> float | None:
        return None if super().next() is None else 2.0


class _SteadyClient(OrderUpdatesClient):
    ladder_class = _Steady


@mutant("every-2-s", "AOR-010 AOR-050", also="AOC-020", reason="no ladder, and thirty reconnects a minute")
class EveryTwoSeconds(ArrowSubject):
    """Tries again every 2 s."""

    client_class = _SteadyClient


class _Endless(Ladder):
    def next(self) -> float | None:
        self.attempt += 1
        return min(2.0 ** min(self.attempt - 1, 9), self._most)


class _EndlessClient(OrderUpdatesClient):
    ladder_class = _Endless


@mutant("never-stops", "AOR-020", reason="attempts end after `reconnectMaxTries`")
class NeverStops(ArrowSubject):
    """Counts its tries and never stops."""

    client_class = _EndlessClient


class _QuietEnd(OrderUpdatesClient):
    def trigger(self, event: str, *details: Any) -> None:
        if event != "noreconnect":
            super().trigger(event, *details)


@mutant("noreconnect-never-raised", "AOR-020", reason="the Python sample prints a line instead")
class QuietEnd(ArrowSubject):
    """Stops after its last try without a word."""

    client_class = _QuietEnd


class _Insistent(OrderUpdatesClient):
    def __init__(self, config: Config) -> None:
        super().__init__(replace(config, auto_reconnect=True))


@mutant("always-reconnects", "AOR-030", reason="both samples have `autoReconnect` as a constant, or not at all")
class AlwaysReconnects(ArrowSubject):
    """Does not look at `autoReconnect`."""

    client_class = _Insistent


class _Resentful(Ladder):
    def succeeded(self) -> None:
        pass


class _ResentfulClient(OrderUpdatesClient):
    ladder_class = _Resentful


@mutant("ladder-goes-on", "AOR-040", also="AOR-010 AOR-060", reason="a success begins the ladder and the count again")
class LadderGoesOn(ArrowSubject):
    """Goes on where its ladder stood before the last success."""

    client_class = _ResentfulClient


class _Counting(Ladder):
    total = 0

    def next(self) -> float | None:
        self.total += 1
        return None if self.total > self._tries else super().next()


class _CountingClient(OrderUpdatesClient):
    ladder_class = _Counting


@mutant("count-goes-on", "AOR-040", also="AOR-010", reason="a success begins the count of tries again")
class CountGoesOn(ArrowSubject):
    """Never begins its count of tries again."""

    client_class = _CountingClient


class _Doubled(OrderUpdatesClient):
    async def live(self, socket: ClientConnection) -> None:
        second = await self.open()
        try:
            await super().live(socket)
        finally:
            await second.close()


@mutant(
    "two-sockets",
    "AOR-050",
    also="AOC-030 AOH-010 AOU-050 AOU-060",
    reason="a Basic account has one connection; nobody reads what comes on the second",
)
class TwoSockets(ArrowSubject):
    """Keeps a second socket beside each."""

    client_class = _Doubled


class _TwiceTimedOut(OrderUpdatesClient):
    timed_out = False

    async def on_lost(self, socket: ClientConnection) -> None:
        self.timed_out = socket.protocol.close_rcvd_then_sent is False  # the good-bye was ours
        await super().on_lost(socket)

    async def pause(self) -> bool:
        if self.timed_out:  # as the sample: once for the time-out, once more for the close that it causes
            self.timed_out = False
            self.ladder.next()
        return await super().pause()


@mutant(
    "time-out-counts-twice",
    "AOR-060",
    reason="the JavaScript sample reconnects at the time-out, and again when the close that it asked for comes",
)
class TimeOutCountsTwice(ArrowSubject):
    """Takes a rung of its ladder twice after a read time-out."""

    client_class = _TwiceTimedOut


class _LeftOver(OrderUpdatesClient):
    """Its read timer looks 30 s after a socket was opened, whether that is still open or not."""

    looks_at = float("inf")

    async def live(self, socket: ClientConnection) -> None:
        self.looks_at = asyncio.get_running_loop().time() + self.config.read_timeout
        await super().live(socket)

    async def pause(self) -> bool:
        loop = asyncio.get_running_loop()
        delay = self.ladder.next()
        if delay is None or not self.config.auto_reconnect:
            self.trigger("noreconnect")
            return False
        self.trigger("reconnect", self.ladder.attempt, delay)
        if loop.time() < self.looks_at < loop.time() + delay:
            await asyncio.sleep(self.looks_at - loop.time())
            self.trigger("disconnect")
            return await self.pause()
        await asyncio.sleep(delay)
        return True


@mutant(
    "left-over-read-timer",
    "AOR-010",
    reason="the JavaScript sample clears its read timer at the next open only: in an outage it starts a delay again",
)
class LeftOver(ArrowSubject):
    """Looks for a read time-out on a socket that is long lost, and begins its waiting again."""

    client_class = _LeftOver


class _TwoSeries(OrderUpdatesClient):
    async def on_lost(self, socket: ClientConnection) -> None:
        await super().on_lost(socket)
        self.spawn(self._also())

    async def _also(self) -> None:
        await asyncio.sleep(1.2)
        try:
            other = await self.open()
            await other.wait_closed()
        except (OSError, WebSocketException):
            return


@mutant(
    "two-series",
    "AOR-060",
    also="AOR-010 AOR-030 AOC-030",
    reason="a second timer opens a second socket, of which no `reconnect` tells",
)
class TwoSeries(ArrowSubject):
    """Starts a second attempt beside its ladder after every loss."""

    client_class = _TwoSeries
