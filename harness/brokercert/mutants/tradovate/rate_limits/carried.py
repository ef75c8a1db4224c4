"""Defects of what is carried to the next socket, though whoever asked for it was told that it had failed."""

from __future__ import annotations

import heapq
from typing import Any, ClassVar

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Lockout, Outcome, Request, RequestQueue


def _nobody(outcome: Outcome, now: float) -> None:
    """Whoever was told once is told no more."""


class _CarryingQueue(RequestQueue):
    """Sends what waited with a ticket on the next socket, when its penalty is over. `TWICE`: and tells that end too."""

    TWICE = False
    carried: ClassVar[list[tuple[float, int, Request]]]

    def __init__(self, lockout: Lockout) -> None:
        super().__init__(lockout)
        for until, order, request in self.carried:
            request.done = request.done if self.TWICE else _nobody
            heapq.heappush(self._retries, (until, order, request))
        self.carried.clear()

    def abandon(self, now: float) -> None:
        self.carried.extend(self._retries)
        super().abandon(now)


class _Carrying(ReferenceClient):
    queue: ClassVar[type[_CarryingQueue]] = _CarryingQueue

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)

        class Carried(self.queue):  # type: ignore[name-defined, misc]
            carried: ClassVar[list[tuple[float, int, Request]]] = []

        self.session_class = with_queue(Carried)


@mutant(
    "sends-what-waited-though-told-as-failed",
    "RLP-090",
    reason="whoever was told that the request failed has sent another one",
)
class CarriesSilently(_Carrying):
    """Tells a request that waits for its penalty as failed when its socket dies, and sends it on the next one."""


class _TellingQueue(_CarryingQueue):
    TWICE = True


@mutant(
    "tells-two-ends-of-what-waited",
    "REQ-040",
    also="RLP-090",
    reason="each request has one end; the first was told before the broker had been asked",
)
class CarriesAndTells(_Carrying):
    """Tells a request that waits for its penalty as failed when its socket dies, sends it later, and tells that too."""

    queue = _TellingQueue
