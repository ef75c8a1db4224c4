"""Defects that show in one phase of a connection's life only."""

from __future__ import annotations

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session


class _AsksOnceSession(Session):
    def send_sync(self, now: float) -> None:
        if self.store.entities.get("asked"):
            return  # a snapshot is on its way, it believes: the socket that was to bring it has gone
        self.store.entities["asked"] = {1: {}}
        super().send_sync(now)

    def on_sync(self, outcome: Outcome, now: float) -> None:
        if outcome.status:  # an answer, not the end of the socket
            self.store.entities.pop("asked", None)
        super().on_sync(outcome, now)


@mutant(
    "believes-a-lost-sync-under-way",
    "REC-110",
    also={
        "REC-030": "a loss while the sync request is in flight leaves the next socket without one",
        "EVT-020": "a request that was cut off on its way never reached the broker, and no other follows",
    },
    reason="a loss while the sync request is in flight leaves the next socket without one",
)
class BelievesSyncUnderWay(ReferenceClient):
    """Keeps "a snapshot is on its way" beyond the socket that was to bring it."""

    session_class = _AsksOnceSession
