"""Defects of the ids of requests."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Request, RequestQueue

BYTE = 1 << 8


class _ByteQueue(RequestQueue):
    def _send(self, request: Request, now: float) -> None:
        self._next_id %= BYTE
        super()._send(request, now)


@mutant("ids-of-one-byte", "REQ-010", reason="the 257th request on a socket has the id of the first")
class IdsOfOneByte(ReferenceClient):
    """Numbers its requests by one byte."""

    session_class = with_queue(_ByteQueue)


class _ConstantQueue(RequestQueue):
    """Its ids begin at 1, authorize's; a retry is written as the sample's sync is, with the id 1 in the text."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._next_id = 1

    def _send(self, request: Request, now: float) -> None:
        if not request.ticket or request.endpoint != "user/syncrequest":
            super()._send(request, now)
            return
        following, self._next_id = self._next_id, 1
        super()._send(request, now)
        self._next_id = following


@mutant("repeats-its-sync-under-the-id-1", "REQ-010", reason="the id 1 was that of authorize, on the same socket")
class RepeatsUnderOne(ReferenceClient):
    """Repeats a sync that drew a ticket under the constant id 1, which another request had."""

    session_class = with_queue(_ConstantQueue)
