"""Defects of requests."""

from __future__ import annotations

from brokercert.mutants.mutant import mutant
from brokercert.mutants.tickets import with_queue
from brokercert.reference.client import ReferenceClient
from brokercert.reference.requests import Request, RequestQueue


class _OneIdQueue(RequestQueue):
    def _send(self, request: Request, now: float) -> None:
        self._next_id = 1
        super()._send(request, now)


@mutant(
    "one-id-for-all",
    "REQ-010",
    also="RLP-030 REQ-020 REQ-030 RLP-050 RLP-060 RLP-090",
    reason="ids are unique on a connection; a retry under its first id and answers that nobody can tell apart follow",
)
class OneId(ReferenceClient):
    """Sends every request under the id 1."""

    session_class = with_queue(_OneIdQueue)
