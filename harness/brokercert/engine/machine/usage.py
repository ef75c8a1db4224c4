"""What this process, and the clients that it runs, have computed: figures that tell why a loop stood still.

Read from `/proc`, some microseconds a process; a system without it tells nothing, which is 0. What all processes have
computed is read once for all runs of this process: if each read it after a standstill, that would be the next one.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
KEPT = 30  # samples: of two minutes, longer than the watchdog lets a standstill last
FRESH = 0.1  # seconds: a sample that is no older is everybody's; what it misses is below what is called a standstill
SESSION, USER, SYSTEM = 3, 11, 12  # fields of /proc/PID/stat, behind the name: proc(5)


@dataclass(frozen=True, slots=True)
class Own:
    """Of this process, in seconds: computed; its main thread ready without a core; the machine asleep."""

    cpu: float
    waited: float
    slept: float


class OwnUsage:
    """Reads `Own` again and again."""

    def __init__(self) -> None:
        try:
            self._schedule: int | None = os.open(PROC / "self" / "schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._schedule = None

    def now(self) -> Own:
        return Own(time.process_time(), self._waited(), _slept())

    def close(self) -> None:
        if self._schedule is not None:
            os.close(self._schedule)
            self._schedule = None

    def _waited(self) -> float:
        if self._schedule is None:
            return 0.0
        try:
            return int(os.pread(self._schedule, 100, 0).split()[1]) / 1e9  # nanoseconds on a run queue
        except (OSError, IndexError, ValueError):
            return 0.0


def _slept() -> float:
    """How much longer ago the machine started than its clock without sleep says."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    if boot is None:
        return 0.0
    return time.clock_gettime(boot) - time.clock_gettime(time.CLOCK_MONOTONIC)


def sessions() -> dict[int, float]:
    """CPU seconds of the living processes of each session, by the session's id: a client has one of its own."""
    result: dict[int, float] = {}
    with suppress(OSError):
        for name in os.listdir(PROC):
            if name.isdigit():
                with suppress(OSError, ValueError, IndexError):  # it has just ended
                    fields = (PROC / name / "stat").read_bytes().rpartition(b")")[2].split()
                    session = int(fields[SESSION])
                    used = (int(fields[USER]) + int(fields[SYSTEM])) / TICKS
                    result[session] = result.get(session, 0.0) + used
    return result


class Latest:
    """The newest sample of all sessions, for every run of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sample: tuple[float, dict[int, float]] | None = None

    def sample(self) -> tuple[float, dict[int, float]]:
        """When it was taken (of `time.monotonic`), and `sessions()` of then: no more than `FRESH` seconds ago."""
        with self._lock:  # the threads of other runs may be at it just now
            if self._sample is None or time.monotonic() - self._sample[0] > FRESH:
                found = sessions()
                self._sample = (time.monotonic(), found)
            return self._sample


LATEST = Latest()


class ClientUsage:
    """Samples of what every session has computed: taken by a thread, every few seconds, and after a standstill."""

    def __init__(self, latest: Latest = LATEST) -> None:
        self._latest = latest
        self._samples: deque[tuple[float, dict[int, float]]] = deque(maxlen=KEPT)

    def take(self) -> None:
        self._samples.append(self._latest.sample())

    def since(self, moment: float, of: Collection[int]) -> dict[int, float]:
        """CPU seconds of these sessions from `moment` (of `time.monotonic`) to the newest sample, as far as is known.

        Samples are seconds apart. What was used from the one before `moment` on is spread evenly over that time, so
        that a client which worked shortly before is not charged for it.
        """
        samples = list(self._samples)
        if not samples:
            return dict.fromkeys(of, 0.0)
        at, newest = samples[-1]
        begun, before = next((one for one in reversed(samples) if one[0] <= moment), samples[0])
        share = min(1.0, max(0.0, at - moment) / (at - begun)) if at > begun else 0.0
        return {one: share * max(0.0, newest.get(one, 0.0) - before.get(one, 0.0)) for one in of}
