"""Clients that never send an upgrade request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from brokercert.engine.client.subject import SubjectSpec

Say = Callable[[str], None]


def silent(leaves: bool, *, connects: bool = False) -> SubjectSpec:
    """It leaves at once, or lives until it is stopped. `connects`: by TCP, and says no word."""

    def make(env: Mapping[str, str], say: Say) -> Client:
        url = urlsplit(next(value for name, value in env.items() if name.endswith("_URL") and value[:2] == "ws"))
        return Client(leaves, say, (url.hostname or "", url.port or 0) if connects else None)

    return SubjectSpec("bot", factory=make, offers=frozenset({"wire", "stop"}))


class Client:
    """One that never connects: it says something, and lives until it is stopped, or leaves at once."""

    def __init__(self, leaves: bool, say: Say, dials: tuple[str, int] | None = None) -> None:
        self._leaves, self._say, self._over, self._dials = leaves, say, asyncio.Event(), dials

    async def run(self) -> int:
        self._say("dialing the production server")
        writer = (await asyncio.open_connection(*self._dials))[1] if self._dials else None
        if not self._leaves:
            await self._over.wait()
        if writer is not None:
            writer.close()
        return 7

    async def stop(self) -> None:
        self._over.set()
