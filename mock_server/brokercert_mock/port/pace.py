"""Bounds of what a broker makes by itself: for one turn of its loop, and for what it may be behind.

The law: whatever an event costs, the loop comes round. A turn ends after `TURN` seconds of work, or after `MOST` events
where the clock stands still meanwhile, as in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Clock = Callable[[], float]  # seconds

TURN = 0.01  # seconds of work in one turn: a client's frames, a deadline and a signal wait no longer for it
MOST = 1_000  # events in one turn: a hundred thousand a second at a hundred turns a second
LATE = 1.0  # seconds that an event may be overdue: an older one would only lengthen the line


class Turn:
    """One turn of the loop, from its making on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock() + TURN
        self._left = MOST

    def goes_on(self) -> bool:
        """Whether one more piece of work fits in. Each call counts as one."""
        self._left -= 1
        return self._left >= 0 and self._clock() < self._until


class Pace:
    """How many events of a stream of `rate` a second are to be sent now.

    `sent` were, `dropped` were overdue by more than `LATE` seconds. Each event that fell due is one of the two, or it
    still waits.
    """

    def __init__(self, rate: float, clock: Clock) -> None:
        self.rate = rate
        self.sent = 0
        self.dropped = 0
        self._clock = clock
        self._began = clock()

    def turn(self) -> Iterator[None]:
        """Once for each event to be sent in this turn of the loop."""
        due = int((self._clock() - self._began) * self.rate)
        most_behind = max(1, int(self.rate * LATE))
        self.dropped += max(0, due - self.sent - self.dropped - most_behind)
        turn = Turn(self._clock)
        while self.sent + self.dropped < due and turn.goes_on():
            self.sent += 1
            yield

    @property
    def reached(self) -> float:
        """Events a second, from the beginning until now."""
        passed = self._clock() - self._began
        return self.sent / passed if passed > 0 else 0.0
