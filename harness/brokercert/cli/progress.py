"""What a run shows while one waits: how many scenarios are under way, for how long yet, and which.

Goes to standard error, so that standard output is the result alone. What a client printed may stand in it, and is made
harmless as in every report.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from brokercert_reports.text import printable

from brokercert.cli.outlet import takes_more

EVERY = 30.0  # seconds: continuous-integration systems take silence for a hang
NAMED = 3  # scenarios that are named of those under way


class Standstills:
    """Standstills of the harness, told without one line for each: a client that makes them makes many.

    The first is told at once. Those that follow are told in one line, when a scenario ends.
    """

    def __init__(self) -> None:
        self._more: list[float] | None = None  # seconds, after the first; None: there was none

    def one(self, length: float) -> str:
        """The line to be told of it now; empty: not yet."""
        if self._more is None:
            self._more = []
            return stall_told(length)
        self._more.append(length)
        return ""

    def over(self) -> str:
        """A scenario has ended: the line for those that were not told yet; empty: there are none."""
        more, self._more = self._more, None
        return f"the harness stood still {len(more)} more time(s) since, for up to {max(more):.1f} s" if more else ""


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
        self._standstills = Standstills()

    def planned(self, whom: str, names: Sequence[str], predicted: float) -> None:
        self._planned, self._predicted = len(names), predicted
        self._line(f"{whom}: {len(names)} scenario(s), about {predicted:.0f} s")

    def noted(self, text: str) -> None:
        self._line(text)

    def started(self, name: str) -> None:
        """Not worth a line: what is under way is named while one waits."""

    def ended(self, name: str, state: str) -> None:
        self._ended += 1
        self._line(self._standstills.over())
        self._line(f"{name}: {state} ({self._ended} of {self._planned})")

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        if self._clock() - self._began - self._said >= EVERY:
            self._line(waiting(running, elapsed, self._predicted))

    def again(self, names: Sequence[str], lasts: float) -> None:
        self._planned += len(names)
        self._predicted = self._clock() - self._began + lasts
        self._line(again_told(names, lasts))

    def stalled(self, length: float) -> None:
        self._line(self._standstills.one(length))

    def _line(self, text: str) -> None:
        """Nothing, where there is nothing to say."""
        if not text:
            return
        self._said = self._clock() - self._began
        self._say(f"[{self._said:4.0f} s] {printable(text)}")


class LiveProgress:
    """One line that renews itself once a second, on a terminal.

    Written by hand: the usual spinners draw many times a second in a thread of their own, beside latencies that are
    being scored.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._predicted = 0.0
        self._left = 0
        self._standstills = Standstills()

    def planned(self, whom: str, names: Sequence[str], predicted: float) -> None:
        self._predicted, self._left = predicted, len(names)
        put(self._stream, f"{printable(whom)}: {len(names)} scenario(s), about {predicted:.0f} s\n")

    def noted(self, text: str) -> None:
        self._say(text)

    def started(self, name: str) -> None:
        """Shown at the next tick, within a second."""

    def ended(self, name: str, state: str) -> None:
        self._left -= 1
        self._say(self._standstills.over())
        if not state.startswith("completed"):
            self._say(f"{name}: {state}")
        if not self._left:
            self._renew("judging")
        elif state.endswith("in virtual time"):
            self._renew(f"{self._left} left, in virtual time")  # many a second, and no tick between

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        self._renew(waiting(running, elapsed, self._predicted))

    def again(self, names: Sequence[str], lasts: float) -> None:
        self._left += len(names)
        self._say(again_told(names, lasts))

    def stalled(self, length: float) -> None:
        self._say(self._standstills.one(length))

    def _say(self, text: str) -> None:
        """A line that stays; nothing, where there is nothing to say."""
        if not text:
            return
        self.stop()
        put(self._stream, f"{printable(text)}\n")

    def stop(self) -> None:
        """Leave an empty line, for the result."""
        self._renew("")

    def _renew(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        put(self._stream, f"\r\x1b[2K{text if len(text) <= width else text[: width - 1] + '…'}")


def waiting(running: Sequence[str], elapsed: float, predicted: float) -> str:
    """18 scenarios under way, 41 s of about 95 s left; waiting for login-timed, ..."""
    left = max(0.0, predicted - elapsed)
    time = f"{left:.0f} s of about {predicted:.0f} s left" if left else f"{elapsed:.0f} s so far, longer than predicted"
    if not running:
        return time
    names = ", ".join(running[:NAMED]) + (f" and {len(running) - NAMED} more" if len(running) > NAMED else "")
    plural = "scenario" if len(running) == 1 else "scenarios"
    return f"{len(running)} {plural} under way, {time}; waiting for {names}"


def again_told(names: Sequence[str], lasts: float) -> str:
    """2 scenario(s) are played again, ..., about 90 s: steady, load-heavy"""
    shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    return (
        f"{len(names)} scenario(s) are played again, for the harness had stood still or had broken in them, about "
        f"{lasts:.0f} s: {shown}"
    )


def stall_told(length: float) -> str:
    return (
        f"the harness stood still for {length:.1f} s: the machine was busy, stopped or asleep, or a client used it up; "
        "what that may have made is not said of a client that did not cause it"
    )


def progress_for(stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> PlainProgress | LiveProgress:
    """The one that fits where the output goes: a terminal that is not a continuous-integration system's, or lines."""
    stream = stream or sys.stderr
    if not stream.isatty() or environ.get("CI") or environ.get("TERM") == "dumb":

        def say(text: str) -> None:
            put(stream, f"{text}\n")

        return PlainProgress(say)
    return LiveProgress(stream)


def put(stream: TextIO, text: str) -> None:
    """Write it now, or leave it out: a terminal that is held (Ctrl-S), or a pipe that nobody reads, must not stop the
    loop, which would look like a standstill to the client.
    """
    if takes_more(stream):
        stream.write(text)
        stream.flush()
