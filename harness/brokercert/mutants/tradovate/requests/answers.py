"""Defects of requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.wire import Reply


class _OneIdQueue(RequestQueue):
    def _send(self, request: Request, now: float) -> None:
        self._next_id = 1
        super()._send(request, now)


@mutant(
    "one-id-for-all",
    "REQ-010",
    also="RLP-010 RLP-020 RLP-030 REQ-020 REQ-030 RLP-050 RLP-060 RLP-090",
    reason="ids are unique on a connection; a retry under its first id and answers that nobody can tell apart follow",
)
class OneId(ReferenceClient):
    """Sends every request under the id 1."""

    session_class = with_queue(_OneIdQueue)


class _InOrderQueue(RequestQueue):
    def on_reply(self, reply: Reply, now: float) -> None:
        oldest = min(self._pending, default=reply.id)
        super().on_reply(Reply(oldest, reply.status, reply.data), now)


@mutant(
    "matches-answers-by-order",
    "REQ-020",
    also="REQ-030 RLP-050",
    reason="answers may come in any order; after one that never comes, each is taken for the request before its own",
)
class InOrder(ReferenceClient):
    """Takes each answer for that of its oldest open request."""

    session_class = with_queue(_InOrderQueue)


class SerialQueue(RequestQueue):
    """One request is under way at a time; the next waits for its answer, or for its time to be over. No defect in
    itself.
    """

    def _flush(self, now: float) -> None:
        waiting = sorted(item for item in self._waiting if item.request.endpoint not in self._penalties)
        if waiting and not self._pending and now >= self._lockout.until:
            self._waiting.remove(waiting[0])
            self._send(waiting[0].request, now)

    def due(self) -> float:
        times = [request.due for request in self._pending.values()] + [entry[0] for entry in self._retries[:1]]
        return min(times, default=float("inf"))


class _DeafSerialQueue(SerialQueue):
    def on_reply(self, reply: Reply, now: float) -> None:
        super().on_reply(Reply(next(iter(self._pending), reply.id), reply.status, reply.data), now)


@mutant(
    "takes-any-answer-for-the-open-requests",
    "REQ-020",
    reason="one request at a time needs no ids, until an answer is late: then it is taken for the next one's",
)
class TakesAnyAnswer(ReferenceClient):
    """Asks one thing at a time, and takes whatever answer comes for that one's."""

    session_class = with_queue(_DeafSerialQueue)


class _ImpatientReader(Session):
    def receive(self, text: str, now: float) -> None:
        items = list(wire.read(text))
        events = [n for n, item in enumerate(items) if isinstance(item, wire.Event)]
        self._heard = now
        for n, item in enumerate(items):
            if self.live_since is None or not isinstance(item, Reply) or not events or n < events[0]:
                self.on_item(item, now)


@mutant(
    "overlooks-answers-behind-events",
    "REQ-020",
    also="EVT-070",
    reason="an answer stands anywhere in a frame, behind events too",
)
class OverlooksAnswers(ReferenceClient):
    """Once it is synced, overlooks an answer that stands behind an event in its frame."""

    session_class = _ImpatientReader


def _asked_for(change: Callable[[Outcome], Outcome]) -> type[Session]:
    """A session that tells the outcomes of the user's own requests otherwise."""

    class _Session(Session):
        def request(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
            super().request(endpoint, lambda outcome, now: done(change(outcome), now), **more)

    return _Session


class _PatientQueue(RequestQueue):
    def _send(self, request: Request, now: float) -> None:
        super()._send(request, now)
        if request.endpoint not in ("authorize", "user/syncrequest"):
            request.due = float("inf")


@mutant("waits-for-an-answer-for-ever", "REQ-030", reason="a request that is never answered has an end")
class Patient(ReferenceClient):
    """Waits for the answer to a request of its user's without a time-out."""

    session_class = with_queue(_PatientQueue)


class _PatientRetryQueue(RequestQueue):
    def _send(self, request: Request, now: float) -> None:
        super()._send(request, now)
        if request.ticket:
            request.due = float("inf")


@mutant(
    "waits-for-the-answer-to-a-retry-for-ever",
    "REQ-030",
    reason="a request that is never answered has an end, one too that is sent again with its ticket",
)
class PatientRetry(ReferenceClient):
    """Has no time-out for the answer to a retry."""

    session_class = with_queue(_PatientRetryQueue)


class _StuckQueue(RequestQueue):
    _stuck = False

    def tick(self, now: float) -> None:
        self._stuck |= any(request.due <= now for request in self._pending.values())
        super().tick(now)

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        if not self._stuck:
            super().submit(endpoint, done, now=now, **more)


@mutant(
    "sends-nothing-after-a-time-out",
    "REQ-030",
    reason="other requests go on after one that was never answered",
)
class Stuck(ReferenceClient):
    """Sends no further request on a socket on which one was never answered."""

    session_class = with_queue(_StuckQueue)


@mutant("takes-silence-for-success", "REQ-030", reason="what was never answered is no success")
class TakesSilence(ReferenceClient):
    """Tells a request that was never answered as a success."""

    session_class = _asked_for(lambda outcome: Outcome(200) if outcome.error == "never answered" else outcome)


@mutant(
    "takes-200-for-success",
    "REQ-040",
    also={"RLP-040": "a captcha stands in such an answer too, and its user is told of a success"},
    reason="`failureReason`, `errorText` and `violations` stand in answers of status 200",
)
class TakesTwoHundred(ReferenceClient):
    """Takes every answer with status 200 for a success, whatever stands in it."""

    session_class = _asked_for(lambda outcome: Outcome(200, outcome.data) if outcome.status == 200 else outcome)


@mutant(
    "takes-a-text-for-success",
    "REQ-040",
    also={"RLP-040": "the user is told of a success where a captcha came"},
    reason="4xx and 5xx are errors, the text with them is no data",
)
class TakesTexts(ReferenceClient):
    """Takes every answer for a success, whatever its status."""

    session_class = _asked_for(lambda outcome: Outcome(outcome.status, outcome.data) if outcome.status else outcome)


@mutant("takes-success-for-an-error", "REQ-040", reason="a plain 200 is a success")
class TakesSuccess(ReferenceClient):
    """Tells every answer as an error."""

    session_class = _asked_for(
        lambda outcome: Outcome(outcome.status, outcome.data, outcome.error or "something went wrong")
    )


class _SomeStatuses(RequestQueue):
    known = frozenset({200, 400, 401, 404, 429, 500})

    def on_reply(self, reply: Reply, now: float) -> None:
        status = reply.status if reply.status in self.known else 200
        super().on_reply(Reply(reply.id, status, reply.data), now)


@mutant(
    "knows-some-statuses-of-errors",
    "REQ-040",
    also={
        "LOG-040": "a login that is refused with 403 is a success to it, and the socket's end a loss like any other",
        "LOG-045": "so that it has no refusal to tell of",
    },
    reason="403 and 408 are errors as others are",
)
class KnowsSomeStatuses(ReferenceClient):
    """Knows the statuses 400, 401, 404, 429 and 500 for errors, and takes every other for a success."""

    session_class = with_queue(_SomeStatuses)


class _TextsQueue(RequestQueue):
    def on_reply(self, reply: Reply, now: float) -> None:
        status = 200 if reply.status != 429 and reply.data == "" else reply.status
        super().on_reply(Reply(reply.id, status, reply.data), now)


@mutant(
    "takes-an-empty-text-for-no-error",
    "REQ-040 LOG-040",
    also={"LOG-045": "so that it has no refusal to tell of"},
    reason="a status above 299 is an error, whatever its text says",
)
class NeedsATextOfStatus(ReferenceClient):
    """Keeps the text of an error, and takes an empty one for none, at its login too."""

    session_class = with_queue(_TextsQueue)


def _with(key: str, outcome: Outcome) -> bool:
    return outcome.status == 200 and isinstance(outcome.data, dict) and key in outcome.data


@mutant(
    "needs-the-text-of-a-failure",
    "REQ-040",
    reason="the reason alone is a failure: its text may be empty or left out",
)
class NeedsAText(ReferenceClient):
    """Looks for `failureText` in a 200, and at `failureReason` only beside it."""

    session_class = _asked_for(
        lambda outcome: (
            Outcome(200, outcome.data)
            if _with("failureReason", outcome) and not outcome.data.get("failureText")
            else outcome
        )
    )


@mutant(
    "takes-any-reason-for-a-failure",
    "REQ-040",
    reason="the reason `Success` is none",
)
class AnyReason(ReferenceClient):
    """Takes every answer with a `failureReason` for an error, whatever that is."""

    session_class = _asked_for(
        lambda outcome: Outcome(200, outcome.data, "failed") if _with("failureReason", outcome) else outcome
    )


@mutant(
    "takes-an-empty-error-text-for-one",
    "REQ-040",
    reason="an `errorText` that is empty says that there is no error",
)
class AnyErrorText(ReferenceClient):
    """Looks whether `errorText` is there, and not at what it says."""

    session_class = _asked_for(
        lambda outcome: Outcome(200, outcome.data, "failed") if _with("errorText", outcome) else outcome
    )
