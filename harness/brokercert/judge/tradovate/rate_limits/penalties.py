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


def penalties(bench: Bench, *, captcha: bool = False) -> list[Penalty]:
    """Every ticket but those for authorize, with the first request that can only be its retry."""
    return [_penalty(bench, *found) for found in _ticketed(bench) if found[2].captcha is captcha]


def _ticketed(bench: Bench) -> Iterator[tuple[Connection, Request, Answer]]:
    for c in bench.talk.connections.values():
        for request in c.requests:
            if request.answer is not None and request.answer.ticket and request.endpoint != "authorize":
                yield c, request, request.answer


def _penalty(bench: Bench, c: Connection, request: Request, answer: Answer) -> Penalty:
    retry = _retry_of(bench, request, answer)
    ends = answer.t + answer.wait
    early, late = bench.micros("ticket_early"), bench.micros("ticket_late")
    return Penalty(c, request, answer, retry, ends - early, max(ends, _socket_from(bench, c, retry)) + late)


def _socket_from(bench: Bench, c: Connection, retry: Request | None) -> int:
    """From when there was a socket for the retry: a ticket may travel to a new socket with its request."""
    if retry is not None and retry.conn != c.id:
        new = bench.talk.connections[retry.conn].authorized
        return new.t if new else 0
    if c.loss is not None and retry is None:
        return next((granted.t for _, granted in bench.talk.granted if granted.t > c.loss.t), 0)
    return 0


def _retry_of(bench: Bench, request: Request, answer: Answer) -> Request | None:
    """The first later request of the same endpoint on that socket, or anywhere with that very ticket."""
    later = (other for other in bench.talk.requests if other.record > answer.record)
    return next((q for q in later if q.ticket == answer.ticket or _same_place(q, request)), None)


def _same_place(other: Request, request: Request) -> bool:
    return other.conn == request.conn and other.endpoint == request.endpoint


def same_body(one: Request, other: Request) -> bool:
    """Whether both say the same but for a ticket."""
    return _without_ticket(one) == _without_ticket(other)


def _without_ticket(request: Request) -> object:
    if isinstance(request.body, dict):
        return {key: value for key, value in request.body.items() if key != "p-ticket"}
    return {} if request.body in (None, "") else request.body  # a retry of an empty body is an object with the ticket
