"""Penalty tickets, each with what the client did about it (TP §7): what the checks of this area read.

The wire-only client's endpoint for them is `user/syncrequest`. It decides nothing. Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Request


@dataclass(frozen=True, slots=True)
class Penalty:
    """A request that was answered by a ticket, and what the client did about it."""

    conn: Connection
    request: Request
    answer: Answer
    retry: Request | None
    due_from: int  # the earliest moment at which a retry is right
    due_until: int

    @property
    def ends(self) -> int:
        """When the penalty is over."""
        return self.answer.t + self.answer.wait


def penalties(bench: Bench, *, captcha: bool = False) -> list[Penalty]:
    """Every ticket but those for authorize, with the first request that can only be its retry."""
    return [_penalty(bench, *found) for found in _ticketed(bench) if found[2].captcha is captcha]


def _ticketed(bench: Bench) -> Iterator[tuple[Connection, Request, Answer]]:
    for c in bench.talk.connections.values():
        for request in c.requests:
            ticket = request.penalty
            if ticket is not None and request.endpoint != "authorize":
                yield c, request, ticket


def _penalty(bench: Bench, c: Connection, request: Request, answer: Answer) -> Penalty:
    retry = _retry_of(bench, request, answer)
    ends = answer.t + answer.wait
    early, late = bench.micros("ticket_early"), bench.micros("ticket_late")
    return Penalty(c, request, answer, retry, ends - early, max(ends, _socket_from(bench, c, retry)) + late)


def _socket_from(bench: Bench, c: Connection, retry: Request | None) -> int:
    """From when there was a socket for the retry: a ticket may travel to a new socket with its request."""
    if retry is None:
        return bench.talk.granted_after(c.loss.t) if c.loss is not None else 0
    new = bench.talk.connections[retry.conn].authorized
    return new.t if new is not None and retry.conn != c.id else 0


def _retry_of(bench: Bench, request: Request, answer: Answer) -> Request | None:
    """The first later request of the same endpoint on that socket, or anywhere with that very ticket."""
    later = (other for other in bench.talk.requests if other.record > answer.record)
    return next((other for other in later if _repeats(other, request, answer)), None)


def _repeats(other: Request, request: Request, answer: Answer) -> bool:
    return other.ticket == answer.ticket or (other.conn == request.conn and other.endpoint == request.endpoint)


def same_body(one: Request, other: Request) -> bool:
    """Whether both say the same but for a ticket."""
    return _without_ticket(one) == _without_ticket(other)


def _without_ticket(request: Request) -> object:
    return (
        {} if request.untied in (None, "") else request.untied
    )  # a retry of an empty body is an object with the ticket
