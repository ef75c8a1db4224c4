"""Defects that only a process in real time shows: where it blocks in a penalty."""

from __future__ import annotations

import time
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Request, RequestQueue


class _BlockingQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        wait = data.get("p-time", 0)
        if data.get("p-captcha") is not True and isinstance(wait, int | float) and wait > 0:
            time.sleep(wait)
            data = {**data, "p-time": 0}
        super().on_ticket(request, data, now)


@mutant(
    "blocks-through-a-penalty",
    "RLP-080",
    process=True,
    reason="its only thread sleeps while a ticket is waited out, and its heartbeats with it",
)
class BlocksThroughPenalty(ReferenceClient):
    """Sleeps through a penalty with its only thread."""

    session_class = with_queue(_BlockingQueue)
