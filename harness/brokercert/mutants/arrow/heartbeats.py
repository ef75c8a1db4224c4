"""Defects of heartbeats, and of noticing a server that is silent."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.arrow.mutant import mutant
from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.heart import Heart
from brokercert.reference.arrow.subject import ArrowSubject


class _LateHeart(Heart):
    def __init__(self, every: float, read_timeout: float, now: float) -> None:
        super().__init__(40.0, read_timeout, now)


class _Late(OrderUpdatesClient):
    heart_class = _LateHeart


@mutant("pong-every-40-s", "AOH-010", also="AOU-050", reason="30 s and a tenth are allowed")
class LatePong(ArrowSubject):
    """Sends `PONG` every 40 s."""

    client_class = _Late


class _Pinging(OrderUpdatesClient):
    async def beat(self, socket: ClientConnection, heart: Heart) -> None:
        while True:
            await asyncio.sleep(30)
            await socket.send("PING")


@mutant(
    "sends-ping",
    "AOH-010 AOH-020",
    also="AOU-050",
    reason="the page's text is `PONG`; its loop knows no read time-out",
)
class SendsPing(ArrowSubject):
    """Sends the text `PING` every 30 s, and does nothing else by the clock."""

    client_class = _Pinging


class _TrustingHeart(Heart):
    def silent(self, now: float) -> bool:
        if super().silent(now):
            self.heard(now)
        return False


class _Trusting(OrderUpdatesClient):
    heart_class = _TrustingHeart


@mutant("no-read-timeout", "AOH-020", reason="a silent server is never noticed")
class NoReadTimeout(ArrowSubject):
    """Never minds how long nothing has come."""

    client_class = _Trusting
