"""The page's back-off: 1, 2, 4, 8 s and then the longest delay; so many tries and no more. No I/O, no clock."""

from __future__ import annotations


class Ladder:
    """The delays of one series of attempts. `most` in seconds."""

    def __init__(self, most: float, tries: int) -> None:
        self._most = most
        self._tries = tries
        self.attempt = 0  # of the series, from 1

    def next(self) -> float | None:
        """Seconds before the next attempt; None: there is none any more."""
        if self.attempt >= self._tries:
            return None
        self.attempt += 1
        return min(2.0 ** min(self.attempt - 1, 30), self._most)

    def succeeded(self) -> None:
        """A connection was made: the next series begins at its beginning."""
        self.attempt = 0
