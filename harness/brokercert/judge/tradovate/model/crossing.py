"""What may have crossed an answer on its way: sent before the client had read it.

The law: `arrival` is granted only where the client had something on its way. A client that sends one request and waits
for its answer has nothing that could cross it: what it sends next, be it a millisecond later, it sends after. Who is
known to send the like without waiting (here, or on another socket of the trace) is granted the time, up to its first
reaction to the answer. Pure; times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.model.conversation import Answer, Connection, Conversation, Request


def may_have_crossed(talk: Conversation, cause: Request, later: Request, arrival: int) -> bool:
    """Whether `later` may have left the client before it had read the answer to `cause`, on the same socket."""
    answer = cause.answer
    if answer is None or later.precedes(answer):
        return True
    c = talk.connections[cause.conn]
    if later.conn != c.id or later.t - answer.t >= arrival or _reacted(talk, c, answer, later):
        return False
    return _under_way(c, cause) or _known_for(talk, cause, later)


def _reacted(talk: Conversation, c: Connection, answer: Answer, later: Request) -> bool:
    """Whether the client had shown that it had read the answer: it closed the socket, or told its user of a failure."""
    closed = c.client_close is not None and answer.record < c.client_close.record < later.record
    return closed or any(answer.record < report.record < later.record for report in talk.told.errors)


def _under_way(c: Connection, cause: Request) -> bool:
    """Whether the client sent something between that request and its answer."""
    return any(True for _ in meanwhile(c, cause))


def _known_for(talk: Conversation, cause: Request, later: Request) -> bool:
    """Whether the client sent the like elsewhere, with the answer to the same endpoint not yet written."""
    others = (c for c in talk.connections.values() if c.id != cause.conn)
    return any(q.endpoint == later.endpoint for c in others for a in c.sent_to(cause.endpoint) for q in meanwhile(c, a))


def meanwhile(c: Connection, cause: Request) -> Iterator[Request]:
    """The requests that came on that socket between a request and its answer; none where it has no answer."""
    answer = cause.answer
    if answer is not None:
        yield from (q for q in c.requests if q.record > cause.record and q.precedes(answer))
