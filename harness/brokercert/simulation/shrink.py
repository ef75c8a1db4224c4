"""The shortest schedule that breaks what a failing one broke, by Hypothesis.

The law: parts that are not needed go first, by halves; then Hypothesis is given what is left, as the choices that draw
it, and shrinks these: single events go, gaps become 0, kinds become simpler ones. Deterministic: the same schedule and
client give the same shortest one, since tries are counted and not timed. Nothing is read from a disk or written to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import ExampleDatabase, choices_to_bytes

from brokercert.engine.errors import HarnessError
from brokercert.simulation.schedule import LONGEST_GAP, MOST, WAIT, WHAT, Event, Schedule

TRIES = 400  # plays: most schedules are short after 100 to 200
MOST_EVENTS = 8  # that Hypothesis is given, where so many will do: it tries every choice of every event
SHORT_ENOUGH = 64  # beyond so many left after all parts were tried, Hypothesis would take minutes: they stay

Drawn = tuple[int, int, int, int]
Fails = Callable[[Schedule], bool]

# An event is as many choices as its tuple has members, and one before it: that the list goes on.
_EVENT = st.tuples(
    st.integers(0, LONGEST_GAP), st.integers(0, len(WHAT) - 1), st.integers(0, MOST), st.integers(0, MOST)
)
_DRAWN = st.lists(_EVENT)


class _Found(Exception):
    """A schedule that fails, as Hypothesis wants to be told."""


class _Enough(BaseException):
    """No tries left. No `Exception`, which Hypothesis would take for one more failure."""


class _Start(ExampleDatabase):
    """Hypothesis's memory of failures, in which there is one. It keeps none."""

    def __init__(self, choices: Iterable[int | bool]) -> None:
        super().__init__()
        # One choice too many: what was saved exactly as it is drawn counts as shrunk already.
        self._saved = choices_to_bytes((*choices, 0))

    def fetch(self, key: bytes) -> Iterable[bytes]:
        return (self._saved,)

    def save(self, key: bytes, value: bytes) -> None:
        pass

    def delete(self, key: bytes, value: bytes) -> None:
        pass


def shrink(schedule: Schedule, done: int, fails: Fails, tries: int = TRIES) -> Schedule:
    """The shortest schedule found with so many tries. `fails` must say yes to `schedule` itself; `done` is how many of
    its events were needed for that.

    Raises `HarnessError` where Hypothesis draws another schedule from the choices that it is given: then its choices
    are not what is taken for granted here.
    """
    shrinking = _Shrinking(schedule, fails, tries)
    if schedule.shards > 1:
        shrinking.tries(msgspec.structs.replace(schedule, shards=1))
    events = schedule.events
    shrinking.tries(
        msgspec.structs.replace(shrinking.best, events=(*events[:done], *map(_wait, events[done : done + 1])))
    )
    shrinking.cut()
    if shrinking.left and len(shrinking.best.events) <= SHORT_ENOUGH:
        shrinking.run()
    return shrinking.best


class _Shrinking:
    """Counts tries, knows what was tried, and keeps the shortest that fails."""

    def __init__(self, schedule: Schedule, fails: Fails, tries: int) -> None:
        self.best = schedule
        self._fails = fails
        self.left = tries
        self._known: dict[tuple[Event, ...], bool] = {}

    def tries(self, schedule: Schedule) -> bool:
        """Whether it fails; no, where there are no tries left."""
        if self.left <= 0:
            return False
        self.left -= 1
        failed = self._fails(schedule)
        if failed:
            self.best = schedule
        return failed

    def cut(self) -> None:
        """Parts of it away, the largest first, until it is short enough for every event to be tried by Hypothesis."""
        size = len(self.best.events)
        while size and len(self.best.events) > MOST_EVENTS and self.left:
            at = 0
            while at < len(self.best.events) > MOST_EVENTS:
                events = self.best.events
                if not self.tries(self._with(events[:at] + events[at + size :])):
                    at += size
            size //= 2

    def run(self) -> None:
        """Let Hypothesis shrink it."""
        start = self.best.events
        self._known[start] = True
        drawn_first: list[tuple[Event, ...]] = []

        @settings(
            database=_Start(choices_of(start)),
            phases=[Phase.reuse, Phase.shrink],
            max_examples=10_000,  # tries end it
            deadline=None,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        @seed(0)  # below the settings: above, it takes their database away
        @given(_DRAWN)
        def shrinks(drawn: Sequence[Drawn]) -> None:
            events = tuple(_event(one) for one in drawn)
            drawn_first.append(events)
            if self._breaks(events):
                raise _Found

        with suppress(_Found, _Enough):
            shrinks()
        if drawn_first[:1] != [start]:
            raise HarnessError("Hypothesis did not draw the failing schedule from its own choices")

    def _breaks(self, events: tuple[Event, ...]) -> bool:
        if events not in self._known:
            if not self.left:
                raise _Enough
            best = self.best
            self._known[events] = self.tries(self._with(events))
            if _size(best.events) < _size(self.best.events):
                self.best = best
        return self._known[events]

    def _with(self, events: tuple[Event, ...]) -> Schedule:
        return msgspec.structs.replace(self.best, events=events)


def choices_of(events: Sequence[Event]) -> tuple[int | bool, ...]:
    """The choices from which Hypothesis draws these events."""
    choices: list[int | bool] = []
    for event in events:
        choices += [True, *_drawn(event)]
    return (*choices, False)


def _wait(event: Event) -> Event:
    return Event(event.after, WAIT)


def _drawn(event: Event) -> Drawn:
    return event.after, WHAT.index(event.do), event.who, event.size


def _event(drawn: Drawn) -> Event:
    after, what, who, size = drawn
    return Event(after, WHAT[what], who, size)


def _size(events: Sequence[Event]) -> tuple[int, list[Drawn]]:
    return len(events), [_drawn(event) for event in events]
