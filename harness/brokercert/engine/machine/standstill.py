"""Notices when the loop stands still, and writes it into the trace of every scenario that was under way.

The law: a standstill above `LEAST` is a record, whatever made it (the harness's own work, a machine without a core to
spare, SIGSTOP, a laptop that sleeps), also one that outlasts the scenario. The record holds what tells these apart.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from brokercert.engine.machine.usage import ClientUsage, Own, OwnUsage
from brokercert.engine.machine.watchdog import Watchdog
from brokercert.engine.play.broker import Broker
from brokercert.trace import TraceWriter
from brokercert.trace import records as r

EVERY = 0.05  # seconds between two looks
LEAST = 0.25  # seconds: what is shorter is an error of measured times, and no standstill
TOLD = 2.5  # seconds: from here on whoever waits is told; half of what makes a client notice
RESOLUTION = 0.002  # seconds: below this it is the timer's own resolution
SLEPT = 0.5  # seconds: less is the clocks' own difference


@dataclass(slots=True)
class Watched:
    """A scenario under way. `session` is its client's, None while it has none."""

    writer: TraceWriter
    broker: Broker
    session: Callable[[], int | None]
    accepted: int = 0  # connections so far
    read_before: int = 0  # bytes, when the loop was last seen alive
    accepted_before: int = 0  # connections by then

    def __post_init__(self) -> None:
        self.writer.watchers.append(self._see)

    def _see(self, record: r.Body) -> None:
        if isinstance(record, r.Accepted):
            self.accepted += 1

    def seen_alive(self) -> None:
        """What has come by now did not come in a standstill."""
        self.read_before, self.accepted_before = self.broker.bytes_read, self.accepted


@dataclass(slots=True)
class _Look:
    """The last moment at which the loop was seen alive, and what had been used by then."""

    at: float
    own: Own


@dataclass
class StallMonitor:
    """`tell` is called with a standstill's length in seconds where that is above `TOLD`."""

    tell: Callable[[float], None] = lambda length: None
    watchdog: Watchdog | None = None
    _lags: list[tuple[float, float]] = field(default_factory=list)  # (when, seconds late), only those worth telling
    _stalls: list[tuple[float, float]] = field(default_factory=list)  # (from, to)
    _watched: dict[int, Watched] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _last: _Look | None = None  # None: not started

    def begin(self, clock: Callable[[], float], own: Callable[[], Own]) -> None:
        """Look from here on, whenever `look` is called: the clock of the traces, and what this process has used."""
        self._clock, self._own = clock, own
        self._clients = self.watchdog.clients if self.watchdog is not None else ClientUsage()
        self._last = _Look(clock(), own())

    async def __aenter__(self) -> StallMonitor:
        self._usage = OwnUsage()
        self.begin(asyncio.get_running_loop().time, self._usage.now)
        self._task = asyncio.create_task(self._watch())
        if self.watchdog is not None:
            self.watchdog.start(asyncio.get_running_loop().is_running)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
        if self.watchdog is not None:
            self.watchdog.stop()
        self._usage.close()
        self._last = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.look()

    def watch(self, one: Watched) -> None:
        """From here on standstills are told to this scenario's trace, until `forget`."""
        self.look()
        one.seen_alive()
        self._watched[id(one)] = one

    def forget(self, one: Watched) -> None:
        """The scenario is over; a standstill that just ended is still told to it."""
        self.look()
        self._watched.pop(id(one), None)

    @property
    def watched(self) -> tuple[Watched, ...]:
        return tuple(self._watched.values())

    def look(self) -> None:
        """Is the loop late? Called by its own timer, and by whoever must know at once."""
        if self._last is None:  # not started: a virtual loop is never late
            return
        now, before = self._clock(), self._last
        late = now - before.at - EVERY
        own = self._own()
        slept = own.slept - before.own.slept
        self._last = _Look(now, own)
        if self.watchdog is not None:
            self.watchdog.alive()
        if late > RESOLUTION:
            self._lags.append((before.at + EVERY, late))
        if late > LEAST or slept > SLEPT:
            self._stalled(before, now, own, slept if slept > SLEPT else 0.0)
        for one in self._watched.values():
            one.seen_alive()

    def _stalled(self, before: _Look, now: float, own: Own, slept: float) -> None:
        self._stalls.append((before.at, now))
        self._clients.take()
        pids = {key: one.session() for key, one in self._watched.items()}
        used = self._clients.since(before.at, {pid for pid in pids.values() if pid is not None})
        for key, one in self._watched.items():
            pid = pids[key]
            since = max(0, one.writer.micros(before.at))
            one.writer.add(
                r.Stall(
                    t=max(since, one.writer.micros(now)),
                    since=since,
                    cpu=round(own.cpu - before.own.cpu, 3),
                    waited=round(own.waited - before.own.waited, 3),
                    suspended=round(slept, 3),
                    client_cpu=round(used.get(pid, 0.0), 3) if pid is not None else 0.0,
                    clients_cpu=round(sum(used.values()), 3),
                    client_bytes=one.broker.bytes_come - one.read_before,
                    client_connections=one.accepted - one.accepted_before,
                    load=round(os.getloadavg()[0], 2),
                )
            )
        length = now - before.at + slept
        if length > TOLD:
            self.tell(length)

    def worst_since(self, since: float) -> float:
        """The worst lateness of the loop, in seconds, since then."""
        return max((lag for when, lag in self._lags if when >= since - EVERY), default=0.0)

    def stalled_since(self, since: float, least: float = TOLD) -> bool:
        """Whether the loop stood still for longer than `least` seconds since then."""
        self.look()
        return any(until >= since and until - begin > least for begin, until in self._stalls)
