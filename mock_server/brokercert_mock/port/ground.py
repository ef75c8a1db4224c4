"""What every part of a broker stands on: its clock, its timers, its recorder, and the word that something changed.

It knows no other part. So a part that is handed the ground needs no broker, and no circle arises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from brokercert_mock.port.recorder import NullRecorder, Recorder

FEW_TIMERS = 256  # up to which none is looked at
KEPT = 1_000  # of anything that a broker left to run would gather: far more than a scenario makes


class Ground:
    """The ground of one broker. `clock` gives seconds; None is the running loop's clock."""

    def __init__(self, recorder: Recorder | None, clock: Callable[[], float] | None) -> None:
        self.recorder: Recorder = recorder or NullRecorder()
        self.loop = asyncio.get_running_loop()
        self.clock = clock or self.loop.time
        self.script_errors: list[BaseException] = []  # what the broker or a rule broke on, for the runner to tell
        self.timers: set[asyncio.TimerHandle] = set()
        self._most_timers = FEW_TIMERS
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Something happened: whoever waits looks again."""
        self._changed.set()

    async def wait(self, condition: Callable[[], bool], within: float) -> bool:
        """Until `condition()` holds, looked at after everything that happens. False: not within so many seconds."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return bool(condition())
        return True

    def call_later(self, delay: float, act: Callable[[], Any]) -> asyncio.TimerHandle:
        """A timer that dies with the broker. `delay` in seconds."""

        def run() -> None:
            self.timers.discard(handle)
            with self.guarding():
                act()

        handle = self.loop.call_later(delay, run)
        self.timers.add(handle)
        if len(self.timers) > self._most_timers:  # most of them were cancelled, and a handle does not tell of that
            self.timers = {timer for timer in self.timers if not timer.cancelled()}
            self._most_timers = max(FEW_TIMERS, 2 * len(self.timers))
        return handle

    def cancel_timers(self) -> None:
        """The broker's end: nothing that was to come later comes."""
        for timer in list(self.timers):
            timer.cancel()
        self.timers.clear()

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """The boundary to asyncio's callbacks: a bug of the broker or of a rule is kept, for the runner to tell."""
        try:
            yield
        except Exception as error:
            if len(self.script_errors) < KEPT:
                self.script_errors.append(error)

    def tell_rule(self, name: str, conn: int, detail: str = "") -> None:
        """Tell the recorder of a rule that was applied just now; `conn` 0: to no connection in particular."""
        self.recorder.rule(self.clock(), name, conn, detail)
