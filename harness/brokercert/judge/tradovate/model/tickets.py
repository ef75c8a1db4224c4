"""Penalty tickets, and which request is the retry of which (TP §7.2).

The law: the retry of a ticketed request is the one that brings its ticket back. Where none does, it is the same request
(endpoint, query and body) on the same socket, if that can have been sent in the knowledge of the ticket. Else there is
none: another request to the endpoint is another request. No request is the retry of two. A running scenario waits on
this very matching. Pure; times are microseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from brokercert.judge.tradovate.model.conversation import Answer, Conversation, Request
from brokercert.judge.tradovate.model.crossing import may_have_crossed

SYNC = "user/syncrequest"


def ticketed(talk: Conversation) -> Iterator[tuple[Request, Answer]]:
    """Every request that drew a ticket, with it, in the order in which they came; but authorize, which has rows of
    its own.
    """
    for request in talk.requests:
        ticket = request.penalty
        if ticket is not None and request.endpoint != "authorize":
            yield request, ticket


def retries_of(talk: Conversation, arrival: int) -> dict[Request, Request]:
    """Each ticketed request that was sent again -> its retry."""
    tickets = list(ticketed(talk))
    if not tickets:
        return {}
    matching = _Matching(talk, arrival)
    for request, answer in tickets:
        matching.take(request, matching.carriers(request, answer))
    for request, _ in tickets:
        if request not in matching.found:
            matching.take(request, matching.repeats(request))
    return matching.found


class _Matching:
    """The requests of one conversation, and which of them are retries so far."""

    def __init__(self, talk: Conversation, arrival: int) -> None:
        self._talk, self._arrival = talk, arrival
        self.found: dict[Request, Request] = {}
        self._taken: set[Request] = set()
        self._by_ticket: dict[str, list[Request]] = defaultdict(list)
        self._by_place: dict[tuple[int, str, str], list[Request]] = defaultdict(list)
        for request in talk.requests:
            self._by_place[request.conn, request.endpoint, request.query].append(request)
            if request.ticket is not None:
                self._by_ticket[request.ticket].append(request)

    def take(self, request: Request, candidates: list[Request]) -> None:
        """The first that is nobody's retry yet becomes that request's."""
        free = (q for q in candidates if q.record > request.record and q not in self._taken)
        retry = next(free, None)
        if retry is not None:
            self.found[request] = retry
            self._taken.add(retry)

    def carriers(self, request: Request, answer: Answer) -> list[Request]:
        """Those that bring its ticket back, the likest first."""
        carrying = self._by_ticket[answer.ticket] if answer.ticket is not None else []
        later = [q for q in carrying if not q.precedes(answer)]
        return sorted(later, key=lambda q: (-likeness(request, q), q.record))

    def repeats(self, request: Request) -> list[Request]:
        """Those on its socket that ask the same, and that the client may have sent because of the ticket."""
        same = self._by_place[request.conn, request.endpoint, request.query]
        return [q for q in same if same_body(q, request) and not self._crossed(request, q)]

    def _crossed(self, request: Request, other: Request) -> bool:
        return may_have_crossed(self._talk, request, other, self._arrival)


def likeness(one: Request, other: Request) -> int:
    """In how many respects two requests are the same."""
    return sum((one.endpoint == other.endpoint, one.query == other.query, same_body(one, other)))


def same_request(one: Request, other: Request) -> bool:
    """Whether both ask the same, be it on another socket, and but for a ticket."""
    return (one.endpoint, one.query) == (other.endpoint, other.query) and same_body(one, other)


def same_body(one: Request, other: Request) -> bool:
    """Whether both say the same but for a ticket."""
    return _without_ticket(one) == _without_ticket(other)


def _without_ticket(request: Request) -> object:
    # a retry of an empty body is an object with the ticket
    return {} if request.untied in (None, "") else request.untied
