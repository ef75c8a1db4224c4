"""Times as an entity has them: ISO 8601 in UTC, in every length that such a text may have (TP §8).

The law: a later one is never an earlier moment, whatever its length, so that a client may go by them. A text without a
fraction is therefore the next whole second where the present one is past, at most a second ahead of the clock.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

MILLISECONDS, MICROSECONDS, SECONDS = "milliseconds", "microseconds", "seconds"
TURNS = (MILLISECONDS, SECONDS, MILLISECONDS, MICROSECONDS)  # the documented length at every second time
STEPS = {MILLISECONDS: 1_000, MICROSECONDS: 1, SECONDS: 1_000_000}  # microseconds that the last digit stands for


def written(moment: datetime.datetime, length: str) -> str:
    """A moment in UTC as a text, cut to `length`: `seconds`, `milliseconds`, ... or `minutes`."""
    return moment.isoformat(timespec=length).replace("+00:00", "Z")


class Stamps:
    """The stamps of one broker, whose calendar `wall` tells. The same calls give the same texts."""

    def __init__(self, wall: Callable[[], datetime.datetime], first: int = 0) -> None:
        """`first`: the turn with which the lengths begin, so that they fall otherwise with each seed."""
        self._wall = wall
        self._turn = first
        self._last = datetime.datetime.min.replace(tzinfo=datetime.UTC)

    def __call__(self) -> str:
        """Now, or as late as the last one."""
        length = TURNS[self._turn % len(TURNS)]
        self._turn += 1
        self._last = _up(max(self._wall(), self._last), STEPS[length])
        return written(self._last, length)

    def minute(self) -> str:
        """The minute that has begun, without seconds: for what there was before anything else."""
        return written(self._wall(), "minutes")


def _up(moment: datetime.datetime, step: int) -> datetime.datetime:
    """The next moment that is whole in steps of so many microseconds; itself where it is."""
    return moment + datetime.timedelta(microseconds=-moment.microsecond % step)
