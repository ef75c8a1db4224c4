"""Fuzzing any client over the wire: a real socket, batches of 32, a probe after each; restarts to bisect and shrink.

The law: a client may ignore a frame or give its connection up and come back; it may not end, turn deaf or stay away.
Between batches the probe is a pong or, where the client reports, a processed event; a heartbeat and the recovery from a
scripted close come once, at the end. A find is tried again on a client that is started anew, and halved.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brokercert_mock import Connection, TradovateBroker

from brokercert.engine.client.environment import subject_environment
from brokercert.engine.client.guard import PREFIX, made_folder, remove_folder
from brokercert.engine.client.running import RunningSubject, start_subject
from brokercert.engine.client.subject import Stream, SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.fuzz.client import TEXT_LEVELS
from brokercert.fuzz.finds import Find
from brokercert.fuzz.inprocess import Outcome
from brokercert.fuzz.shrink import Budget, shrink
from brokercert.hostile import Hostile, Level, generate
from brokercert.hostile.delivery import BATCH, batches, drawn_batch, send, send_marker
from brokercert.requirements import load_set
from brokercert.trace.records import Why

SET = "tradovate-stage2"  # whose broker is played, and whose limits say how long a client is awaited
PONG = 10.0  # seconds
REPORTED = 12_000  # frames to one client, which is then ended: of what it prints, 50,000 reports are read at most
TRIES, SHRINKING = 60, 120.0  # clients started anew, and seconds, to shrink one find
LATE = 0.5  # seconds: after these a message has arrived, and a crash on it has been seen
NO_BEAT, NOT_BACK = "it sends no heartbeat any more", "it does not come back after a plain close"


class Broke(Exception):
    """The client is not what it has to be; the text is the cause."""


class Live:
    """One run of the client, with a broker of its own. It is the observer of what the client says."""

    def __init__(self, spec: SubjectSpec) -> None:
        self._spec = spec
        self._loop = asyncio.get_running_loop()
        self._limit = load_set(SET).limit
        self.broker = TradovateBroker(seed=1)
        self._state_dir = made_folder(f"{PREFIX}fuzz-")
        self._subject: RunningSubject | None = None
        self._exit: int | None = None
        self._told: set[Any] = set()  # ids that were reported as processed since the last marker
        self.reports = "report" in spec.offers
        self.reconnects = 0

    async def begin(self) -> None:
        """Start it and wait until it has synced. Raises `UsageError` where it does not."""
        await self.broker.start()
        env = {
            **subject_environment(
                self.broker, host="127.0.0.1", port=self.broker.port, scenario="fuzz", state_dir=self._state_dir
            ),
            "BROKERCERT_LEVEL": self._spec.level,
        }
        self._subject = await start_subject(self._spec, env, self, self._state_dir, self._loop.time)
        login = self._limit("window_first_authorize") + self._limit("window_first_sync")
        if not await self.broker.wait(lambda _: bool(self._sockets()) or self._exit is not None, login):
            raise UsageError(f"the client did not log in and sync in {login:g} s; try `brokercert certify` first")
        if self._exit is not None:
            raise UsageError(f"the client ended with status {self._exit} before it had synced")
        self.broker.quiet(True)
        if self.reports:
            try:  # the control: who reports nothing before anything hostile is not asked for it afterwards
                await self._marker()
            except Broke:
                self.reports = False

    async def end(self) -> None:
        if self._subject is not None:
            await self._subject.kill()
        await self.broker.close()
        remove_folder(self._state_dir)

    def _sockets(self) -> list[Connection]:
        return [c for c in self.broker.connections if c.is_synced]

    async def feed(self, frames: Sequence[Hostile]) -> None:
        """Send them, and look. Raises `Broke`."""
        sockets = self._sockets()
        since = self.broker.clock()
        for socket in sockets:
            send(socket, frames)
            socket.send_ping()
        await self._settle(sockets, lambda c: bool(c.pongs) and c.pongs[-1] >= since, PONG, "it answers no ping")
        if self.reports:
            await self._marker()

    async def _settle(
        self, sockets: Sequence[Connection], done: Callable[[Connection], bool], within: float, cause: str
    ) -> None:
        """Until each is done; one that was given up must be followed by another. Raises `Broke`."""

        def seen(_: TradovateBroker) -> bool:
            return self._exit is not None or all(done(c) or not c.is_open for c in sockets)

        came = await self.broker.wait(seen, within)
        self._alive()
        if not came:
            raise Broke(cause)
        if any(not c.is_open for c in sockets):
            self.reconnects += 1
            await self._back(sockets, "it gave the connection up and did not come back")

    async def _back(self, old: Sequence[Connection], cause: str) -> None:
        def seen(_: TradovateBroker) -> bool:
            return self._exit is not None or any(c not in old for c in self._sockets())

        came = await self.broker.wait(seen, self._limit("window_recovery"))
        self._alive()
        if not came:
            raise Broke(cause)

    def _alive(self) -> None:
        if self._exit is not None:
            how = f"signal {-self._exit}" if self._exit < 0 else f"status {self._exit}"
            raise Broke(f"it ended with {how}")

    async def _marker(self) -> None:
        """A valid event, and its report. Raises `Broke`."""
        for socket in self._sockets():
            marker = send_marker(socket, self.broker.db, lambda _: self._told.clear())
            if marker is None:
                continue

            def told(_: Connection, ident: int = marker.ident) -> bool:
                return ident in self._told

            within = self._limit("window_default")
            await self._settle([socket], told, within, "it processes no valid event any more")

    async def look(self) -> None:
        """Whether what it was fed still ends it. Raises `Broke`."""
        await self.broker.wait(lambda _: self._exit is not None, LATE)
        self._alive()

    async def finish(self) -> None:
        """A heartbeat on time, and the recovery from a scripted close. Raises `Broke`."""
        sockets = self._sockets()
        since = self.broker.clock()
        beats = lambda c: bool(c.heartbeats) and c.heartbeats[-1] >= since  # noqa: E731 (one use, beside its own text)
        gap = self._limit("heartbeat_gap_page") * (1 + self._limit("heartbeat_gap_tolerance"))
        await self._settle(sockets, beats, gap + 1, NO_BEAT)
        old = self._sockets()
        for socket in old:
            socket.fin()
        await self._back(old, NOT_BACK)

    # What the client does, as its observer is told.

    def started(self, at: float) -> None:
        """Nothing to note."""

    def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
        """Not kept: it may hold secrets."""

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        ident = body.get("id")
        if event == "processed" and isinstance(ident, int):
            self._told.add(ident)
            self.broker.changed()

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        """A client's own matter."""

    def dropped(self, at: float, lines: int, bytes: int) -> None:
        """Nothing to note."""

    def stop_asked(self, at: float, how: str, judged: bool) -> None:
        """Nothing to note."""

    def ending(self, at: float, why: Why, processes: int) -> None:
        """Nothing to note: nobody looks at how it ended then."""

    def exited(self, at: float, code: int, asked: bool) -> None:
        self._exit = code
        self.broker.changed()


async def fuzz(
    spec: SubjectSpec, *, level: Level | None, seconds: float, seed: int, found: Callable[[Find], None] = lambda _: None
) -> Outcome:
    """Feed a client for so many seconds. Raises `UsageError` where it cannot be started or does not log in."""
    outcome = Outcome()
    feeding = 0.0
    number = 0
    began: float | None = None  # when the first client was up: starting it is not feeding it
    while began is None or time.monotonic() - began < seconds:
        live = Live(spec)
        fed: list[int] = []
        try:
            await live.begin()
            began = began or time.monotonic()
            while not fed or (time.monotonic() - began < seconds and len(fed) * BATCH < REPORTED):
                frames = _batch(level, seed, number)
                fed.append(number)
                number += 1
                outcome.frames += len(frames)
                fed_since = time.monotonic()
                await live.feed(frames)
                feeding += time.monotonic() - fed_since
            await live.finish()
            outcome.notes.append(f"{live.reconnects} clean reconnects in the last {len(fed)} batches")
        except Broke as broke:
            cause = str(broke)
            outcome.counts[cause] = outcome.counts.get(cause, 0) + 1
            await live.end()
            if outcome.counts[cause] == 1:
                find = await _find(spec, level, seed, fed, cause, outcome)
                if find is not None:
                    outcome.finds.append(find)
                    found(find)
        finally:
            await live.end()
    outcome.seconds = feeding
    return outcome


def _batch(level: Level | None, seed: int, number: int) -> list[Hostile]:
    return drawn_batch(lambda rng, place: generate(rng, level or TEXT_LEVELS[place % len(TEXT_LEVELS)]), seed, number)


async def reproduce(spec: SubjectSpec, frames: Sequence[Hostile], *, expected: str = "") -> str:
    """The cause that these frames break a fresh client by; empty: none. Where a cause is expected that shows between
    batches, the end of a run (a heartbeat, a close and the recovery from it) is left out: it takes seconds.
    """
    live = Live(spec)
    try:
        await live.begin()
        for batch in batches(frames):
            await live.feed(batch)
        if expected in ("", NO_BEAT, NOT_BACK):
            await live.finish()
        else:
            await live.look()
    except Broke as broke:
        return str(broke)
    finally:
        await live.end()
    return ""


async def _find(
    spec: SubjectSpec, level: Level | None, seed: int, fed: Sequence[int], cause: str, outcome: Outcome
) -> Find | None:
    """The find of a failure, shrunk: the last batch alone if that does it, else all that the client was fed."""
    budget = Budget(TRIES, SHRINKING)

    async def breaks(tried: Sequence[Hostile]) -> bool:
        return await reproduce(spec, tried, expected=cause) == cause

    last = _batch(level, seed, fed[-1])
    every = [frame for number in fed for frame in _batch(level, seed, number)]
    for frames in (last, every):
        if budget.spend() and await breaks(frames):
            small = await shrink(frames, breaks, budget)
            return Find(target="wire", cause=cause, frames=small, seed=seed)
    outcome.notes.append(f"{cause}: not seen again with the same frames; saved as they were fed")
    return Find(target="wire", cause=cause, frames=tuple(last), seed=seed, detail="not reproduced")


async def shrunk(spec: SubjectSpec, frames: Sequence[Hostile]) -> Find | None:
    """What of these frames breaks a fresh client, as small as it gets; None: nothing does."""
    cause = await reproduce(spec, frames)
    if not cause:
        return None

    async def breaks(tried: Sequence[Hostile]) -> bool:
        return await reproduce(spec, tried, expected=cause) == cause

    return Find(target="wire", cause=cause, frames=await shrink(frames, breaks, Budget(TRIES, SHRINKING)), seed=0)
