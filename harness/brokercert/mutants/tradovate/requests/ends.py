"""Defects of how often the end of a request is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from brokercert.mutants.tradovate.carrying import Carrying, CarryingQueue
from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Lockout, Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import SYNC
from brokercert.reference.tradovate.wire import Reply


class _TellingQueue(CarryingQueue):
    TWICE = True


@mutant(
    "tells-two-ends-of-what-waited",
    "REQ-040",
    also="RLP-090",
    reason="each request has one end; the first was told before the broker had been asked",
)
class CarriesAndTells(Carrying):
    """Tells a request that waits for its penalty as failed when its socket dies, sends it later, and tells that too."""

    queue = _TellingQueue


class _KeepingQueue(RequestQueue):
    def tick(self, now: float) -> None:
        over: dict[int, Request] = {ident: request for ident, request in self._pending.items() if request.due <= now}
        super().tick(now)
        for ident, request in over.items():
            request.due = float("inf")
            self._pending[ident] = request


@mutant(
    "tells-a-late-answer-too",
    "REQ-040",
    reason="each request has one end; that it was never answered had been told",
)
class TellsLateAnswers(ReferenceClient):
    """Tells a request as never answered, goes on waiting for its answer, and tells that too."""

    session_class = with_queue(_KeepingQueue)


class _HastyQueue(RequestQueue):
    def submit(self, *args: Any, **more: Any) -> None:
        own = args[0] in ("authorize", SYNC)  # its login it awaits as ever
        super().submit(*args, **(more if own else {**more, "within": 1.0}))

    def on_reply(self, reply: Reply, now: float) -> None:
        if reply.status == 429:  # it minds a lock-out though it had given the request up
            self._lockout.begin(now)
        super().on_reply(reply, now)


@mutant(
    "gives-up-after-a-second",
    "REQ-040",
    reason="it tells as never answered what the broker answers with success a moment later",
)
class GivesUpAfterASecond(ReferenceClient):
    """Tells a request as never answered after a second."""

    session_class = with_queue(_HastyQueue)


class _TimersQueue(RequestQueue):
    timers: ClassVar[list[tuple[float, int]]]  # when it ends, and the id of its request: of every socket so far

    def __init__(self, lockout: Lockout) -> None:
        super().__init__(lockout)
        self.timers[:] = [(due, ident) for due, ident in self.timers if ident]  # those of authorize are not kept

    def _send(self, request: Request, now: float) -> None:
        super()._send(request, now)
        self.timers.append((request.due, self._next_id - 1))

    def tick(self, now: float) -> None:
        over = [timer for timer in self.timers if timer[0] <= now]
        for timer in over:
            self.timers.remove(timer)
            request = self._pending.pop(timer[1], None)
            if request is not None:
                request.done(Outcome(0, None, "never answered"), now)
        super().tick(now)

    def due(self) -> float:
        return min(super().due(), *(due for due, _ in self.timers), float("inf"))


@mutant(
    "ends-requests-by-old-time-outs",
    "REQ-030",
    also={"REQ-040": "it tells as never answered what the broker answers with success a second later"},
    reason="the ids begin anew with a socket, so that the time-out of an old request ends a new one",
)
class OldTimeOuts(ReferenceClient):
    """Ends by its id what a time-out is over for, though that was a request of an earlier socket."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)

        class Own(_TimersQueue):
            timers: ClassVar[list[tuple[float, int]]] = []

        self.session_class = with_queue(Own)


class _Insisting(ReferenceClient):
    """Sends what was not answered once more."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def told(outcome: Outcome, now: float) -> None:
            if outcome.error == "never answered" and endpoint == "order/placeorder":
                super(_Insisting, self).submit(endpoint, told, **more)
            else:
                done(outcome, now)

        super().submit(endpoint, told, **more)


@mutant(
    "sends-an-unanswered-order-again",
    "REQ-030",
    reason="whoever asked is told nothing, and the broker may have taken each of them",
)
class Insists(_Insisting):
    """Sends an order again each time that no answer came in its time, and tells nobody."""
