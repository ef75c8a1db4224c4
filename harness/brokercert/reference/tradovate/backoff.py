"""How long to wait before the next attempt: doubling, capped, jittered, and reset only after a stable time.

Half of each delay is fixed and half random: attempts of many clients spread, and none comes at once.
"""

from __future__ import annotations

import random


class Backoff:
    """The ladder of one lane. Seconds."""

    def __init__(self, rng: random.Random, *, first: float, longest: float, stable_after: float) -> None:
        self._rng = rng
        self._first = first
        self._longest = longest
        self._stable_after = stable_after
        self._failures = 0

    def next_delay(self, lasted: float) -> float:
        """The delay after a connection that was live for `lasted` seconds (0: it never was)."""
        if lasted >= self._stable_after:
            self._failures = 0
        full = min(self._longest, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return full * (0.5 + 0.5 * self._rng.random())
