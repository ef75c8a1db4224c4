"""The antecedents of the Tradovate rows, looked up in the fold (docs/design.md has the table)."""

from __future__ import annotations

from brokercert.judge.antecedents import CONNECTED, SECOND_ATTEMPT
from brokercert.judge.judging import Antecedent
from brokercert.judge.tradovate.model.conversation import Conversation, Request


def _authorize_sent(talk: Conversation) -> bool:
    return any(c.authorizes for c in talk.connections.values())


def _authorized(talk: Conversation) -> bool:
    return bool(talk.granted)


def _worked(talk: Conversation) -> bool:
    """Whether a request followed a plain answer to authorize on its socket."""
    return any(q.record > answer.record for c, answer in talk.granted for q in c.requests)


def _synced(talk: Conversation) -> bool:
    return bool(talk.synced)


def _refused(talk: Conversation) -> bool:
    """Whether a login was refused: by its status, by an error text inside a 200, or over REST."""
    if any(c.refused for c in talk.connections.values()):
        return True
    return any(call.status in (401, 403) for call in talk.asides.rest)


def _reauthorized(talk: Conversation) -> bool:
    """Whether a socket that was accepted after the loss of an authorized one was authorized."""
    lost = [loss.t for _, loss in talk.lost]
    return bool(lost) and any(c.accepted > min(lost) for c in talk.authorized)


def _retried(talk: Conversation) -> bool:
    """Whether a request that had drawn a ticket was sent again: with its ticket, or as it was."""
    requests = talk.requests
    return any(_again(q, later) for n, q in enumerate(requests) if q.penalty for later in requests[n + 1 :])


def _again(ticketed: Request, later: Request) -> bool:
    if ticketed.penalty is None or later.record < ticketed.penalty.record or ticketed.endpoint == "authorize":
        return False
    same = (later.endpoint, later.query, later.untied) == (ticketed.endpoint, ticketed.query, ticketed.untied)
    return same or later.ticket == ticketed.penalty.ticket


def _shut_down(talk: Conversation) -> bool:
    return any(c.shut_down for c in talk.connections.values())


ANTECEDENTS = {
    "connected": CONNECTED,
    "authorize-sent": Antecedent(_authorize_sent, "the client sent no authorize"),
    "authorized": Antecedent(_authorized, "no authorize was answered with success"),
    "request-after-authorize": Antecedent(_worked, "the client sent no request after a plain answer to authorize"),
    "synced": Antecedent(_synced, "the client sent no sync request"),
    "refused": Antecedent(_refused, "no login was refused"),
    "second-attempt": SECOND_ATTEMPT,
    "reauthorized": Antecedent(_reauthorized, "no new socket was authorized after a loss"),
    "retry": Antecedent(_retried, "no request that had drawn a ticket was sent again"),
    "shutdown": Antecedent(_shut_down, "no `shutdown` event was sent"),
}
