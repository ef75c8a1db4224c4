"""Staggers the starts of clients, so that runtimes that start up do not slow each other beyond their limits.

The law: what is staggered is work. A place is held until the client connects, or until it has had `TIMES` the time that
a start works for: what the first start cost, or this one already has where that is more. So a runtime that compiles for
ten seconds keeps its place, and a client that sleeps for twenty does not hold up forty others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class StartGate:
    """At most two clients are being started at once; one counts as started when it connects, or after a while.

    `start_cost`: CPU seconds of a client's processes from its start to its first connection, where that is known before
    a run (`brokercert.engine.client.resources.work_of`). The gate learns it otherwise from the first start of each
    client that connects.
    """

    AT_ONCE = 2  # one a core of the smallest machine that this is meant for
    TIMES = 4.0  # so many times its work a start may take where others work beside it: two places, and a busy machine
    LEAST = 4.0  # seconds: what a start works for in other processes than its own (a container) nobody can measure

    def __init__(self, start_cost: float | None = None) -> None:
        self._cost = start_cost or 0.0
        self._places = asyncio.Semaphore(self.AT_ONCE)

    @property
    def cost(self) -> float:
        """CPU seconds of the dearest start that is known; 0 where none is."""
        return self._cost

    def measured(self, cost: float) -> None:
        """A client has connected, and its start took so many CPU seconds."""
        self._cost = max(self._cost, cost)

    def patience(self, used: float) -> float:
        """Seconds from its start after which a client that used `used` CPU seconds holds a place no longer."""
        return max(self.LEAST, self.TIMES * max(self._cost, used))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """A scenario's turn: a place is taken first, and given back when its client was started, or here."""
        turn = Turn(self, self._places)
        await turn.take()
        try:
            yield turn
        finally:
            turn.give_back()

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[StartGate]:
        """One start that no turn was taken for."""
        async with self.turn():
            yield self


class Turn:
    """One scenario's place at the gate. It is taken before the scenario's broker is made, since the life of what a
    client is given (tokens) begins there.
    """

    def __init__(self, gate: StartGate, places: asyncio.Semaphore) -> None:
        self._gate = gate
        self._places = places
        self._taken = False

    async def take(self) -> None:
        if not self._taken:
            await self._places.acquire()
            self._taken = True

    def give_back(self) -> None:
        if self._taken:
            self._taken = False
            self._places.release()

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[StartGate]:
        """A start within the turn; a second one takes a place anew."""
        await self.take()
        try:
            yield self._gate
        finally:
            self.give_back()
