"""Defects of clients that ask on where they are locked out."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import INFINITE, Session
from brokercert.reference.tradovate.states import Happening, State


class _AnyAnswerSession(Session):
    again = INFINITE

    def on_item(self, item: wire.Item, now: float) -> None:
        super().on_item(item, now)
        if isinstance(item, wire.Reply) and item.status != 200 and self.state in (State.AUTHORIZED, State.LIVE):
            self.again = now + 1  # a second later, so that it cannot have been on its way already

    def tick(self, now: float) -> None:
        if now >= self.again:
            self.again = INFINITE
            ident = self._requests._next_id
            self._requests._next_id += 1
            self._out.append(wire.write_request("authorize", ident, body=self._token))
        super().tick(now)

    def due(self) -> float:
        return min(super().due(), self.again)


@mutant(
    "takes-any-answer-for-the-logins",
    "RLP-070",
    also={
        "LOG-020": "that authorize is the second on its socket",
    },
    reason="429 to another request is met by authorize, a request in the lock-out",
)
class AnyAnswer(ReferenceClient):
    """Looks at an answer's status and not at its id: one that is no 200 means logged off, and it authorizes again."""

    session_class = _AnyAnswerSession


class _AskingAgain(Session):
    def on_sync(self, outcome: Outcome, now: float) -> None:
        if outcome.status == 429:
            self._requests._lockout.until = now
            self._sync_again = now + 5
        else:
            super().on_sync(outcome, now)


@mutant(
    "asks-again-after-429",
    "RLP-070",
    also={
        "EVT-010": "the sync request that it sends again is a second one on its socket",
        "REC-030": "that socket came after a loss",
    },
    reason="a request during the lock-out starts its hour again",
)
class AsksAgain(ReferenceClient):
    """Sends a sync request that was answered with 429 again after five seconds."""

    session_class = _AskingAgain


class _AskingInAMinute(Session):
    def on_sync(self, outcome: Outcome, now: float) -> None:
        super().on_sync(outcome, now)
        if outcome.status == 429:
            self._requests._lockout.until = now + 62
            self._sync_again = now + 62


@mutant(
    "takes-a-minute-for-the-lock-out",
    "RLP-070",
    also="EVT-010 REC-030",
    reason="an hour is due after a 429, not a minute",
)
class AsksInAMinute(ReferenceClient):
    """Waits for a minute after a 429, where an hour is due."""

    session_class = _AskingInAMinute


class _AskingAtOnce(Session):
    asked_again = False

    def on_sync(self, outcome: Outcome, now: float) -> None:
        if outcome.status == 429 and not self.asked_again:
            self.asked_again = True
            self._requests._lockout.until = now
            self.send_sync(now)
        else:
            super().on_sync(outcome, now)


@mutant(
    "asks-again-at-once-after-429",
    "RLP-070",
    also="EVT-010 REC-030",
    reason="a request during the lock-out starts its hour again",
)
class AsksAtOnce(ReferenceClient):
    """Sends a sync request that was answered with 429 once more, at once, and no more after that."""

    session_class = _AskingAtOnce


class _ForgetfulSession(Session):
    def abandon(self, now: float) -> None:
        self._requests._lockout.until = 0.0
        super().abandon(now)


@mutant(
    "forgets-the-lock-out-with-its-socket",
    "RLP-070",
    reason="a lock-out is the user's, and no socket's",
)
class ForgetsLockout(ReferenceClient):
    """Forgets at the loss of a socket that it is locked out."""

    session_class = _ForgetfulSession


class _LoginAgain(Session):
    def on_authorize(self, outcome: Outcome, now: float) -> None:
        if outcome.status == 429:
            self._requests._lockout.until = now
            self.happen(Happening.TIMED_OUT, "authorize was answered with 429", now)
        else:
            super().on_authorize(outcome, now)


@mutant(
    "logs-in-again-after-429",
    "RLP-070",
    reason="a recommendation: authorize is a request, so that each of them starts the hour of the lock-out again",
)
class LogsInAgain(ReferenceClient):
    """Takes 429 to authorize for a trouble of the connection, and comes back with its ordinary back-off."""

    session_class = _LoginAgain


class _RetryingOnQueue(RequestQueue):
    def on_reply(self, reply: wire.Reply, now: float) -> None:
        request, until = self._pending.get(reply.id), self._lockout.until
        super().on_reply(reply, now)
        if request is not None and request.ticket:
            self._lockout.until = until


@mutant(
    "overlooks-429-to-a-retry",
    "RLP-070",
    reason="429 begins a lock-out, whatever it answers",
)
class Overlooks429(ReferenceClient):
    """Looks for 429 in first answers only: one in the answer to a retry is told as an error, and no lock-out begins."""

    session_class = with_queue(_RetryingOnQueue)


class _OldPenaltyQueue(RequestQueue):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._known: set[str] = set()  # endpoints that had a penalty

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data, now)
        self._known.add(request.endpoint)

    def _flush(self, now: float) -> None:
        super()._flush(now)
        for item in sorted(self._waiting):
            if item.request.endpoint in self._known and item.request.endpoint not in self._penalties:
                self._waiting.remove(item)
                self._send(item.request, now)


@mutant(
    "takes-an-old-penaltys-end-for-the-lock-outs",
    "RLP-070",
    reason="nothing is sent in a lock-out, not to an endpoint either whose penalty was over before",
)
class OldPenalty(ReferenceClient):
    """Asks until when an endpoint has to rest, and takes the end of its last penalty, which hides the lock-out's."""

    session_class = with_queue(_OldPenaltyQueue)


class _WithoutTextQueue(RequestQueue):
    def on_reply(self, reply: wire.Reply, now: float) -> None:
        status = 500 if reply.status == 429 and reply.data is not None else reply.status
        super().on_reply(wire.Reply(reply.id, status, reply.data), now)


@mutant(
    "knows-429-without-a-text-only",
    "RLP-070",
    reason="a recommendation: 429 to authorize begins a lock-out too, whatever text comes with it",
)
class WithoutText(ReferenceClient):
    """Knows a lock-out by a 429 that has no data, and takes one with a text for an error like others."""

    session_class = with_queue(_WithoutTextQueue)


class _WithTextQueue(RequestQueue):
    def on_reply(self, reply: wire.Reply, now: float) -> None:
        status = 500 if reply.status == 429 and not reply.data else reply.status
        super().on_reply(wire.Reply(reply.id, status, reply.data), now)


@mutant(
    "needs-a-text-with-429",
    "RLP-070",
    reason="429 begins a lock-out, and the documents show it without a text",
)
class WithText(ReferenceClient):
    """Looks for a text beside 429, and takes one without for an error like others."""

    session_class = with_queue(_WithTextQueue)
