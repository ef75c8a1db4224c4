"""What mutants of several areas carry to the next socket, though whoever asked for it was told that it had failed."""

from __future__ import annotations

import heapq
from typing import Any, ClassVar

from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Lockout, Outcome, Request, RequestQueue


def _nobody(outcome: Outcome, now: float) -> None:
    """Whoever was told once is told no more."""


class CarryingQueue(RequestQueue):
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
        # The sync is the socket's own: the next one sends another.
        self.carried.extend(waits for waits in self._retries if waits[2].endpoint != "user/syncrequest")
        super().abandon(now)


class Carrying(ReferenceClient):
    queue: ClassVar[type[CarryingQueue]] = CarryingQueue

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)

        class Carried(self.queue):  # type: ignore[name-defined, misc]
            carried: ClassVar[list[tuple[float, int, Request]]] = []

        self.session_class = with_queue(Carried)
