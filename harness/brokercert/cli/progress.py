"""What a run shows while one waits: how many scenarios are under way, for how long yet, and which.

Goes to standard error, so that standard output is the result alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.status import Status

EVERY = 30.0  # seconds: continuous-integration systems take silence for a hang
NAMED = 3  # scenarios that are named of those under way


class PlainProgress:
    """A line where a scenario ends, and one at least every 30 s."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._predicted = 0.0
        self._planned = 0
        self._ended = 0
        self._elapsed = 0.0
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
        self._elapsed = elapsed
        if elapsed - self._said >= EVERY:
            self._line(waiting(running, elapsed, self._predicted))

    def _line(self, text: str) -> None:
        self._said = self._elapsed
        self._say(f"[{self._elapsed:4.0f} s] {text}")


class LiveProgress:
    """One line that renews itself, on a terminal."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._predicted = 0.0
        self._left = 0

    def planned(self, names: Sequence[str], predicted: float) -> None:
        from rich.markup import escape

        self._predicted, self._left = predicted, len(names)
        self._status.console.print(escape(f"{len(names)} scenario(s), about {predicted:.0f} s"), highlight=False)
        self._status.start()

    def started(self, name: str) -> None:
        """Shown at the next tick, within a second."""

    def ended(self, name: str, state: str) -> None:
        from rich.markup import escape

        self._left -= 1
        if state != "completed":
            self._status.console.print(escape(f"{name}: {state}"), highlight=False)
        if not self._left:
            self._status.update("judging")

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        from rich.markup import escape

        self._status.update(escape(waiting(running, elapsed, self._predicted)))

    def stop(self) -> None:
        self._status.stop()


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
    from rich.console import Console

    return LiveProgress(Console(file=stream).status("starting"))
