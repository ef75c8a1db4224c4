"""A thread that notices when the loop stands still for good, says where, and ends the run as our own fault.

The law: it counts its own ticks, not the clock, so that a machine that slept, or a process that was stopped, has not
stood still: the thread did not run then either. What was recorded is on the disk before the process ends.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from brokercert.engine.machine.usage import ClientUsage
from brokercert.engine.play import scoring
from brokercert.verdict import ExitCode

TICK = 1.0  # seconds
SAMPLE_EVERY = 4  # ticks: a pass over all processes takes some milliseconds, and all of this half a % of a core
MOST_TICKS = 30  # of the thread's own, in which the loop never came round


class Watchdog:
    """`flush` writes what was recorded to the disk; `folder` is where it stands, for the sentence."""

    def __init__(
        self,
        folder: Path,
        flush: Callable[[], None],
        *,
        tick: float = TICK,
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self.clients = ClientUsage()
        self._folder = folder
        self._flush = flush
        self._tick = tick
        self._end = end
        self._ticks = 0  # since the loop came round
        self._turns = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="brokercert-watchdog", daemon=True)

    def start(self, runs: Callable[[], bool] = lambda: True) -> None:
        """`runs`: whether the loop is run at all. One that was abandoned (by an exception of whoever ran it, a test's
        deadline say) has not stood still, and its process is somebody else's.
        """
        self._runs = runs
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def join(self, within: float) -> None:
        """Wait for its thread to end. Seconds."""
        self._thread.join(within)

    def alive(self) -> None:
        """The loop came round."""
        self._ticks = 0

    def count(self) -> None:
        """One tick of the thread's own."""
        self._ticks += 1
        self._turns += 1
        # Nothing else computes while a latency is scored.
        if self._turns % SAMPLE_EVERY == 0 and not scoring.under_way():
            self.clients.take()
        if self._ticks > MOST_TICKS:
            self.stop()
            self._give_up()

    def _watch(self) -> None:
        while not self._stop.wait(self._tick):
            if not self._runs():
                return
            self.count()

    def _give_up(self) -> None:
        with suppress(Exception):  # whatever breaks here, the process must end
            self._flush()
        with suppress(Exception):
            print(
                f"brokercert: the harness's own loop has stood still for {MOST_TICKS * self._tick:.0f} s, and the run "
                "is ended; this says nothing of the client. Where it stands:",
                file=sys.stderr,
            )
            faulthandler.dump_traceback(sys.stderr, all_threads=True)
            print(
                f"brokercert: what was recorded stands in {self._folder}, for `brokercert judge {self._folder}`",
                file=sys.stderr,
                flush=True,
            )
        self._end(ExitCode.HARNESS_ERROR.value)
