"""What an Arrow check is handed, and the books it is registered in: one an edition of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from brokercert.judge.arrow.edition import Edition
from brokercert.judge.arrow.model import Updates, UpdateSocket
from brokercert.judge.attempts import ANY, Attempt, Signs, attempts_of
from brokercert.judge.check import AnyBench, CheckBook, CheckFunction
from brokercert.judge.moments import Moment
from brokercert.judge.sockets import Loss
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form, Verdict

BOOK, BOOK3 = CheckBook(), CheckBook()
BOTH = (BOOK, BOOK3)
F = TypeVar("F", bound=CheckFunction)


def check(row: str, *books: CheckBook) -> Callable[[F], F]:
    """Register a function as the check of a row, of the editions with these books (none: of the first)."""

    def register(function: F) -> F:
        for book in books or (BOOK,):
            book.check(row)(function)
        return function

    return register


# An attempt that opened a socket which ended at once has failed all the same. The resolution of telling the two apart.
ATTEMPT_ENDS = SECOND // 10
ONE_BY_ONE = Signs(apart=0)


@dataclass(frozen=True, slots=True)
class Series:
    """What the client did after the loss of a socket: its attempts, the last of which succeeded if `back`."""

    lost: UpdateSocket
    loss: int
    record: int
    attempts: tuple[Attempt, ...]
    back: UpdateSocket | None

    @property
    def by_client(self) -> bool:
        """The client itself gave the socket up."""
        return self.lost.given_up() is not None

    @property
    def failed(self) -> int:
        return len(self.attempts) - (1 if self.back is not None else 0)

    @property
    def delays(self) -> list[int]:
        """From the loss to the first attempt, and from the end of each to the next. Microseconds."""
        ends = [self._gone, *(attempt.over for attempt in self.attempts)]
        return [attempt.t - ends[n] for n, attempt in enumerate(self.attempts)]

    @property
    def _gone(self) -> int:
        """When the lost socket was done with: a client's good-bye may take its time."""
        goodbye = self.lost.ends_by_client() if self.by_client else []
        return max([self.loss, *(end.t for end in goodbye)])

    @property
    def last(self) -> int:
        """When the last attempt was over, or the loss where there was none."""
        return max([self.loss, *(attempt.over for attempt in self.attempts)])

    @property
    def evidence(self) -> list[int]:
        return [self.record, *(attempt.record for attempt in self.attempts)]


@dataclass(frozen=True, slots=True)
class ArrowBench(AnyBench):
    """The Arrow dialect's."""

    talk: Updates

    @property
    def edition(self) -> Edition:
        """Of the page that is judged by."""
        return self.talk.edition

    def told(self, name: str) -> str:
        """A parameter that the client was told, as RECONNECT_MAX_DELAY; empty where it was not."""
        told = self.header.settings.get("told", {})
        return str(told.get(name, "")) if isinstance(told, dict) else ""

    def told_number(self, name: str, default: float) -> float:
        return float(self.told(name) or default)

    def unsure(self, observed: str, evidence: Iterable[int] = ()) -> Finding:
        """Inconclusive: a busy machine may have made the client late."""
        return self._say(Verdict.INCONCLUSIVE, observed, "the same on an idle machine", evidence, form=Form.TIME)

    @property
    def asked(self) -> list[tuple[UpdateSocket, Moment]]:
        """The connections with a complete upgrade request, and when that came."""
        return [(c, c.head) for c in self.talk.connections.values() if c.head is not None]

    @property
    def opened(self) -> list[tuple[UpdateSocket, Moment]]:
        """The connections that were upgraded, and when."""
        return [(c, c.upgraded) for c in self.talk.connections.values() if c.upgraded is not None]

    @property
    def reports(self) -> bool:
        """The client tells what it raises and processes."""
        return "report" in self.header.offers

    @property
    def reconnects(self) -> bool:
        """It was not told to stay away."""
        return self.told("AUTO_RECONNECT").lower() not in ("false", "0")

    def series(self) -> Iterator[Series]:
        """What followed each loss, up to the next success, the client's own judged stop, or the end."""
        until = min([self.end, *(stop.t for stop in self.talk.stops if stop.what.judged)])
        for c, loss in self.talk.losses():
            if loss.t < until:
                yield self._series_after(c, loss, until)

    def _series_after(self, lost: UpdateSocket, loss: Loss, until: int) -> Series:
        taken: list[Attempt] = []
        back = None
        for attempt in self.attempts(loss.t):
            if attempt.t > until or back is not None:
                break
            taken.append(attempt)
            back = self._opened_by(attempt)
        return Series(lost, loss.t, loss.record, tuple(taken), back)

    def attempts(self, since: int) -> list[Attempt]:
        """All after `since`. Where some may have no delay they are counted one by one, if each had its answer: who gets
        none may connect twice at once.
        """
        later = [c for c in self.talk.connections.values() if c.accepted > since and not c.rest]
        answered = all(c.upgraded is not None or c.refused_status is not None or not c.ended for c in later)
        return attempts_of(self.talk, since, ONE_BY_ONE if self.edition.at_once and answered else ANY)

    def _opened_by(self, attempt: Attempt) -> UpdateSocket | None:
        """The socket that it opened; None where it opened none, or one that ended at once."""
        c = self.talk.connections.get(attempt.conn)
        return c if c is not None and self._stayed(c) else None

    def _stayed(self, c: UpdateSocket) -> bool:
        if c.upgraded is None:
            return False
        return c.loss is None or c.loss.by == "client" or c.loss.t - c.upgraded.t >= ATTEMPT_ENDS
