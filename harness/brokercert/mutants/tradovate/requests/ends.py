"""Defects of how often the end of a request is told."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.carrying import Carrying, CarryingQueue
from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Request, RequestQueue
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
