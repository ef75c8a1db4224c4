"""Defects of coming back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.arrow import reconnection as first
from brokercert.mutants.arrow_2026.mutant import mutant
from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.edition3 import THIRD, ArrowSubject3, Edition3
from brokercert.reference.arrow.heart import Heart
from brokercert.reference.arrow.ladder import AT_ONCE, Ladder

LOOKS = 1.0  # seconds between two looks at the clock


class _Content(OrderUpdatesClient):
    over = False

    async def on_lost(self, socket: ClientConnection) -> None:
        closed = socket.protocol.close_rcvd
        self.over = closed is not None and closed.code == 1000 and socket.protocol.close_rcvd_then_sent is True
        await super().on_lost(socket)

    async def pause(self) -> bool:
        return not self.over and await super().pause()


@mutant("stays-away-after-1000", "AOR-305", reason="a normal close is a loss as well: nobody asked for it")
class Content(ArrowSubject3):
    """Takes a close with 1000 for the end."""

    client_class = _Content


@mutant(
    "uncapped-ladder",
    "AOR-310 AOR-312 AOR-315",
    also="AOR-020 AOR-305",
    reason="no delay is above the longest one, and the first attempts have none",
)
class UncappedLadder(first.UncappedLadder):
    """Doubles its delays without an end."""

    edition = THIRD


@mutant(
    "every-2-s",
    "AOR-310 AOR-312 AOR-315",
    also="AOC-020",
    reason="no ladder, and thirty attempts a minute",
)
class EveryTwoSeconds(first.EveryTwoSeconds):
    """Tries again every 2 s."""

    edition = THIRD


class _OlderLadder(Edition3):
    immediate = 0
    first_delay = 1.0
    max_delay = 10.0


@mutant("ladder-of-the-older-page", "AOR-312 AOR-315", reason="1, 2, 4, 8, then 10 s are the older page's")
class OlderLadder(ArrowSubject3):
    """Waits 1, 2, 4, 8, then 10 s."""

    edition = _OlderLadder()


class _WaitsAtFirst(Edition3):
    immediate = 0


@mutant("waits-at-first", "AOR-315", reason="three attempts have no delay")
class WaitsAtFirst(ArrowSubject3):
    """Waits 2, 4, then 5 s, from the first attempt on."""

    edition = _WaitsAtFirst()


class _SecondWaits(Ladder):
    def next(self) -> float | None:
        """The second attempt waits for the first rung, and the fourth has none."""
        delay = super().next()
        if delay is None or self.attempt not in (2, self.immediate + 1):
            return delay
        return min(self.first, self._most) if self.attempt == 2 else AT_ONCE


class _SecondWaitsClient(OrderUpdatesClient):
    ladder_class = _SecondWaits


@mutant(
    "waits-before-its-second-attempt", "AOR-312 AOR-315", reason="the first three have no delay, and the fourth has one"
)
class SecondWaits(ArrowSubject3):
    """Waits before its second attempt, and makes the third and the fourth at once."""

    client_class = _SecondWaitsClient


@mutant(
    "never-stops",
    "AOR-020",
    also="AOR-315",
    reason="attempts end after the last one, and begin without a delay",
)
class NeverStops(first.NeverStops):
    """Counts its tries and never stops."""

    edition = THIRD


@mutant("noreconnect-never-raised", "AOR-020", reason="the table: no try is left")
class QuietEnd(first.QuietEnd):
    """Stops after its last try without a word."""

    edition = THIRD


@mutant("always-reconnects", "AOR-030", reason="`enable_reconnect` can be off")
class AlwaysReconnects(first.AlwaysReconnects):
    """Does not look at `enable_reconnect`."""

    edition = THIRD


class _AfterSilence(OrderUpdatesClient):
    async def on_lost(self, socket: ClientConnection) -> None:
        if socket.protocol.close_rcvd_then_sent is False:  # the good-bye was ours
            self.config = replace(self.config, auto_reconnect=True)
        await super().on_lost(socket)


@mutant("comes-back-after-silence", "AOR-030", reason="off is off, after a read time-out as well")
class AfterSilence(ArrowSubject3):
    """Looks at `enable_reconnect` after a loss, and not after its own read time-out."""

    client_class = _AfterSilence


class _Beside(OrderUpdatesClient):
    async def beat(self, socket: ClientConnection, heart: Heart) -> None:
        if self.config.auto_reconnect:
            await super().beat(socket, heart)
        while True:
            await asyncio.sleep(LOOKS)
            if heart.silent(asyncio.get_running_loop().time()):
                break
        await (await self.open()).wait_closed()


@mutant("connects-beside-a-silent-connection", "AOR-030", reason="off is off, whether the silent one is ended or not")
class Beside(ArrowSubject3):
    """Opens another connection when nothing has come for too long, and ends none."""

    client_class = _Beside


@mutant(
    "ladder-goes-on",
    "AOR-040",
    also="AOR-305 AOR-310 AOR-312 AOR-315",
    reason="a connection that lasted begins it anew",
)
class LadderGoesOn(first.LadderGoesOn):
    """Goes on where its ladder stood before the last success."""

    edition = THIRD


@mutant("count-goes-on", "AOR-040", also="AOR-305", reason="a connection that lasted begins the count of tries anew")
class CountGoesOn(first.CountGoesOn):
    """Never begins its count of tries again."""

    edition = THIRD


SOON = 0.2  # seconds: without any, the storm would leave no time to pass


class _BeginsAnew(OrderUpdatesClient):
    async def live(self, socket: ClientConnection) -> None:
        self.ladder.succeeded()
        await super().live(socket)
        await asyncio.sleep(SOON)


@mutant("ladder-begins-at-each-open", "AOR-345", reason="the vendor's own client does so, and never waits then")
class BeginsAnew(ArrowSubject3):
    """Begins its ladder anew at each open, however short."""

    client_class = _BeginsAnew


@mutant(
    "two-sockets",
    "AOR-350",
    also="AOC-330 AOH-310 AOH-315 AOH-340 AOR-360 AOU-350 AOU-352 AOU-060",
    reason="a Basic account has one connection; nobody reads what comes on the second",
)
class TwoSockets(first.TwoSockets):
    """Keeps a second socket beside each."""

    edition = THIRD


@mutant(
    "two-series",
    "AOR-360",
    also="AOC-330 AOH-310 AOH-325 AOR-030 AOR-310 AOR-312 AOR-315 AOR-350",
    reason="a second timer opens a second socket, of which no `reconnect` tells",
)
class TwoSeries(first.TwoSeries):
    """Starts a second attempt beside its ladder after every loss."""

    edition = THIRD
