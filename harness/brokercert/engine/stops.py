"""What becomes of a signal that asks this process to end: SIGINT, SIGTERM and SIGHUP, all alike.

The law: a signal never loses what was recorded, and never makes an exit status of its own. Handlers are Python's, not
the loop's, so that they are served while the loop computes too. Nothing heavy is imported here: it is the first thing
that the program does, before anything that a signal could cut short.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 130  # brokercert.verdict.ExitCode.INTERRUPTED
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
ENOUGH = 20.0  # seconds after the first signal: longer than a client is given to end (`window_stop`, 15 s)
MANY = 3  # signals, of which the last ends the process if it comes so late

Doing = Callable[[], str]
Handler = Callable[[int, FrameType | None], Any] | int | None


class Stops:
    """The signals of this process. By default each raises `KeyboardInterrupt`; a block may want something else."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._first = 0.0
        self._ours = False  # the whole process is: it may be ended
        self._decided = False
        self._blocks: list[_Block] = []

    def own(self) -> None:
        """Handle the signals until the process ends. A SIGHUP that is ignored (`nohup`) stays so."""
        self._ours = True
        _handle(self._asked)

    @contextmanager
    def during(self, stop: Callable[[], None], doing: Doing, *, heed: bool = True) -> Iterator[None]:
        """In this block the first signal calls `stop`, and the block goes on to its end. Later ones tell what is
        being done, `doing()`. One that is the third or later, and comes 20 s after the first, ends the process.

        A signal that came before the block counts as its first if it is to `heed` that. Where nobody owns the signals
        they are handled for this block alone, and the one that would end the process raises `KeyboardInterrupt`.
        Outside of the main thread nothing is handled.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        outermost = not self._ours and not self._blocks
        self._blocks.append(_Block(stop, doing))
        before = _handle(self._asked) if outermost else {}
        if outermost:
            self.count = 0
        try:
            if heed and self.count:
                self._blocks[-1].stopped = True
                stop()
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._blocks.pop()

    def decide(self) -> None:
        """How the process ends is settled, and a signal changes nothing any more."""
        self._decided = self._ours

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self._decided:
            return
        self.count += 1
        if self.count == 1:
            self._first = self._clock()
        if not self._blocks:
            raise KeyboardInterrupt
        block = self._blocks[-1]
        name = signal.Signals(number).name
        if self.count >= MANY and self._clock() - self._first >= ENOUGH:
            self._end(f"{name} again: ended while still {block.doing()}; `brokercert judge` judges what was recorded")
        if block.stopped:
            tell(f"{name} again: still {block.doing()}")
        else:
            block.stopped = True
            tell(f"{name}: {block.doing()}")
            block.stop()

    def _end(self, text: str) -> NoReturn:
        if not self._ours:
            raise KeyboardInterrupt
        tell(text)
        os._exit(INTERRUPTED)  # the guard ends the clients


class _Block:
    def __init__(self, stop: Callable[[], None], doing: Doing) -> None:
        self.stop, self.doing = stop, doing
        self.stopped = False


def tell(text: str) -> None:
    """A line on standard error, past every buffer: a handler may have interrupted somebody who is writing to it.

    Never raises and never waits: where the line cannot be written at once it is left out.
    """
    with suppress(OSError, ValueError):
        if select.select([], [2], [], 0)[1]:
            os.write(2, f"brokercert: {text}\n".encode("ascii", "backslashreplace"))


def _handle(handler: Handler) -> dict[int, Handler]:
    """Install it; what there was before, by signal."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    before: dict[int, Handler] = {}
    for name in NAMES:
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue
        before[number] = signal.signal(number, handler)
    return before


STOPS = Stops()
