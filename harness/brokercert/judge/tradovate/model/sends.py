"""What a client sent of what it was asked to send: its commands paired with the requests on its sockets.

The law: a request is known by endpoint, query and body as values. What the client adds of its own (a ticket, an order
id) makes it no other request; what it was told to send and is not there does. A client's own requests beside them are
its own: scenarios ask for what no client asks by itself. Pure: no I/O, no clock.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from brokercert.judge.told import Asked
from brokercert.judge.tradovate.model.conversation import Answer, Conversation, Request, answers_of, value_in
from brokercert.judge.tradovate.model.differences import same

INNER_ERRORS = ("errorText", "failureReason", "violations")  # of an answer with status 200 (TP §3) ...
SUCCESS = "Success"  # ... unless they say so


class Sends:
    """Everything that was sent, found by what was asked for: for many questions of one trace."""

    def __init__(self, talk: Conversation) -> None:
        self._by_place: dict[tuple[str, tuple[tuple[str, str], ...]], list[Request]] = {}
        everything = (request for c in talk.connections.values() for request in c.requests)
        for request in sorted(everything, key=lambda request: request.record):
            self._by_place.setdefault((request.endpoint, _pairs(request.query)), []).append(request)

    def of(self, asked: Asked) -> list[Request]:
        """Every request on any socket that is the one asked for, in the order in which they came."""
        endpoint = str(asked.body.get("endpoint", "")).lower().lstrip("/")
        place = self._by_place.get((endpoint, _pairs(str(asked.body.get("query") or ""))), [])
        return [q for q in place if q.record > asked.record and _holds(asked.body.get("body"), q.body)]


def sends_of(talk: Conversation, asked: Asked) -> list[Request]:
    """Those of one command."""
    return Sends(talk).of(asked)


def again_unasked(sends: list[Request]) -> tuple[Request, Request] | None:
    """(earlier, later) of the first pair of which the earlier stood unanswered when the later came; None: there is
    none. What was answered, be it by a ticket, may be asked again: a client reads what it likes as often as it likes.
    """
    return next(((one, later) for one, later in itertools.pairwise(sends) if _stands_at(one, later)), None)


def _stands_at(one: Request, later: Request) -> bool:
    return one.answer is None or one.answer.record > later.record


def final_answer(sends: list[Request]) -> Answer | None:
    """The answer that decided: the last one that is no penalty."""
    return next((answer for answer in reversed(answers_of(sends)) if not answer.ticket), None)


def error_of(answer: Answer) -> str:
    """What makes an answer an error (TP §3); empty: it is a success."""
    if not 200 <= answer.status < 300:
        return f"status {answer.status}"
    for key in INNER_ERRORS:
        if (value_in(answer.data, key) or SUCCESS) != SUCCESS:
            return f"status {answer.status} with `{key}`"
    return ""


def why_silent(talk: Conversation, asked: Asked, what: str = "requests") -> str:
    """Why a command may have come to nothing without the client's fault: the adapter's; empty: for no such reason.
    `what` names such commands.
    """
    if not asked.told:
        return "the client takes no commands: its standard input is closed, or its class has no `command`"
    if asked.unsupported is None:
        return ""
    if talk.told.honest:
        return f"the client says that it does not support {what}"
    return (
        f"the client says that it does not support {what}; it is not believed, since it did not say so of a command "
        "that nobody can do (`whistle`)"
    )


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(parse_qsl(query.lstrip("?"), keep_blank_values=True)))


def _holds(asked: Any, sent: Any) -> bool:
    """Everything that was asked for is in what was sent; a body of nothing may be an empty one."""
    if isinstance(asked, Mapping):
        return isinstance(sent, Mapping) and all(
            key in sent and _holds(value, sent[key]) for key, value in asked.items()
        )
    if isinstance(asked, list):
        return isinstance(sent, list) and len(sent) == len(asked) and all(map(_holds, asked, sent))
    if isinstance(asked, bool):
        return sent is asked
    return asked is None or same(asked, sent)


def unanswered(sends: list[Request]) -> Iterator[Request]:
    """Those that the broker never answered."""
    return (request for request in sends if request.answer is None)
