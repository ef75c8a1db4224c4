"""The timers of one open socket: when to send `PONG`, and when nothing has come for too long. No I/O, no clock."""

from __future__ import annotations

HEARTBEAT = "PONG"


class Heart:
    """Times are seconds of whatever clock `now` is of."""

    def __init__(self, every: float, read_timeout: float, now: float) -> None:
        self._every = every
        self._read_timeout = read_timeout
        self._opened = now
        self._beats = 0
        self._heard = now

    def heard(self, now: float) -> None:
        """A message came."""
        self._heard = now

    def due(self, now: float) -> bool:
        """A heartbeat is to be sent now; true once for each."""
        if now < self._next():
            return False
        self._beats += 1
        return True

    def silent(self, now: float) -> bool:
        """Nothing has come for so long that the socket is given up."""
        return now - self._heard >= self._read_timeout

    def wake(self) -> float:
        """When to look again."""
        return min(self._next(), self._heard + self._read_timeout)

    def _next(self) -> float:
        return self._opened + (self._beats + 1) * self._every
