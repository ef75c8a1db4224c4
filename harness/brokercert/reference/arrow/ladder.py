"""The page's back-off: delays that double, and then the longest one; so many tries and no more. No I/O, no clock."""

from __future__ import annotations

AT_ONCE = 0.01  # seconds: an attempt without a delay follows the loss, also where time is virtual and stands still


class Ladder:
    """The delays of one series of attempts. `most` and `first` in seconds; the first `immediate` attempts have none."""

    immediate = 0
    first = 1.0

    def __init__(self, most: float, tries: int) -> None:
        self._most = most
        self._tries = tries
        self.attempt = 0  # of the series, from 1

    def next(self) -> float | None:
        """Seconds before the next attempt; None: there is none any more."""
        if self.attempt >= self._tries:
            return None
        self.attempt += 1
        rung = self.attempt - 1 - self.immediate
        return AT_ONCE if rung < 0 else min(self.first * 2.0 ** min(rung, 30), self._most)

    def succeeded(self) -> None:
        """A connection was made: the next series begins at its beginning."""
        self.attempt = 0
