"""Small records of the fold: when something was, in which record of the trace, and what it was.

They are tuples too, in the order of their fields; checks read them by name. Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from brokercert.trace import records as r

T = TypeVar("T")


class Moment(NamedTuple):
    """Something that happened at `t`, and the number of the record that tells it."""

    t: int
    record: int


class Noted(NamedTuple, Generic[T]):
    """A record of the trace, `what`, with its time and number."""

    t: int
    record: int
    what: T


class Said(NamedTuple):
    """A text that was sent."""

    t: int
    record: int
    text: str


class Close(NamedTuple):
    """A close frame; `code` is None where it had none."""

    t: int
    record: int
    code: int | None


class End(NamedTuple):
    """The end of a TCP connection: `by` whom, and `how` ("fin", "rst")."""

    t: int
    record: int
    by: r.Side
    how: str


LAST = 3  # pieces of evidence: a reader follows three


def up_to(moments: Sequence[Moment], record: int) -> list[int]:
    """The records of the last three that came before `record`; else that of the first."""
    return [moment.record for moment in moments if moment.record < record][-LAST:] or [moments[0].record]


class Recorded(Protocol):
    """Anything of which a record of the trace tells."""

    @property
    def t(self) -> int: ...

    @property
    def record(self) -> int: ...


R = TypeVar("R", bound=Recorded)


def records_of(*what: Recorded | None) -> list[int]:
    """The records of those that there are, as evidence."""
    return [one.record for one in what if one is not None]


def first_from(what: Iterable[R], t: int) -> R | None:
    """The first that was at `t` or later; `what` is in the order of time."""
    return next((one for one in what if one.t >= t), None)


def first_after(what: Iterable[R], t: int) -> R | None:
    """The first that was later than `t`; `what` is in the order of time."""
    return next((one for one in what if one.t > t), None)
