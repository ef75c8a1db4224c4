"""What a run shows while one waits: how many scenarios are under way, for how long yet, and which.

Goes to standard error, so that standard output is the result alone.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

EVERY = 30.0  # seconds: continuous-integration systems take silence for a hang
NAMED = 3  # scenarios that are named of those under way


class PlainProgress:
    """A line where a scenario ends, and one at least every 30 s.

    Each bears the time at which it is printed: there are no ticks while something is scored alone.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._began = clock()
        self._predicted = 0.0
        self._planned = 0
        self._ended = 0
        self._said = 0.0

    def planned(self, names: Sequence[str], predicted: float) -> None:
        self._planned, self._predicted = len(names), predicted
        self._line(f"{len(names)} scenario(s), about {predicted:.0f} s")

    def started(self, name: str) -> None:
        """Not worth a line: what is under way is named while one waits."""

    def ended(self, name: str, state: str) -> None:
        self._ended += 1
        self._line(f"{name}: {state} ({self._ended} of {self._planned})")

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        if self._clock() - self._began - self._said >= EVERY:
            self._line(waiting(running, elapsed, self._predicted))

    def note(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        self._said = self._clock() - self._began
        self._say(f"[{self._said:4.0f} s] {text}")


class LiveProgress:
    """One line that renews itself once a second, on a terminal.

    Written by hand: the usual spinners draw many times a second in a thread of their own, beside latencies that are
    being scored.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._predicted = 0.0
        self._left = 0

    def planned(self, names: Sequence[str], predicted: float) -> None:
        self._predicted, self._left = predicted, len(names)
        self._stream.write(f"{len(names)} scenario(s), about {predicted:.0f} s\n")
        self._stream.flush()

    def started(self, name: str) -> None:
        """Shown at the next tick, within a second."""

    def ended(self, name: str, state: str) -> None:
        self._left -= 1
        if not state.startswith("completed"):
            self.stop()
            self._stream.write(f"{name}: {state}\n")
        if not self._left:
            self._renew("judging")
        elif state.endswith("in virtual time"):
            self._renew(f"{self._left} left, in virtual time")  # many a second, and no tick between

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        self._renew(waiting(running, elapsed, self._predicted))

    def note(self, text: str) -> None:
        self.stop()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def stop(self) -> None:
        """Leave an empty line, for the result."""
        self._renew("")

    def _renew(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[2K{text if len(text) <= width else text[: width - 1] + '…'}")
        self._stream.flush()


def waiting(running: Sequence[str], elapsed: float, predicted: float) -> str:
    """18 scenarios under way, 41 s of about 95 s left; waiting for login-timed, ..."""
    left = max(0.0, predicted - elapsed)
    time = f"{left:.0f} s of about {predicted:.0f} s left" if left else f"{elapsed:.0f} s so far, longer than predicted"
    if not running:
        return time
    names = ", ".join(running[:NAMED]) + (f" and {len(running) - NAMED} more" if len(running) > NAMED else "")
    plural = "scenario" if len(running) == 1 else "scenarios"
    return f"{len(running)} {plural} under way, {time}; waiting for {names}"


def progress_for(stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> PlainProgress | LiveProgress:
    """The one that fits where the output goes: a terminal that is not a continuous-integration system's, or lines."""
    stream = stream or sys.stderr
    if not stream.isatty() or environ.get("CI") or environ.get("TERM") == "dumb":

        def say(text: str) -> None:
            print(text, file=stream, flush=True)

        return PlainProgress(say)
    return LiveProgress(stream)
