"""Staggers the starts of clients, so that runtimes that start up do not slow each other beyond their limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class StartGate:
    """At most two clients are being started at once; one counts as started when it connects, or after a while."""

    AT_ONCE = 2  # one a core of the smallest machine that this is meant for
    LONGEST = 4.0  # seconds that one may hold a place: a slow runtime's start, not a client that never connects

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(self.AT_ONCE)

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        async with self._places:
            yield
