"""Defects of subscriptions beside the sync."""

from __future__ import annotations

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session


class _Remembering(Session):
    synced_before = False

    def on_sync(self, outcome: Outcome, now: float) -> None:
        self.synced_before = bool(self.store.entities)
        super().on_sync(outcome, now)


class _SubscribingOnce(_Remembering):
    def subscribe(self, now: float) -> None:
        if not self.synced_before:
            super().subscribe(now)


@mutant("subscribes-once-in-its-life", "REC-035", reason="a subscription ends with its socket")
class SubscribesOnce(ReferenceClient):
    """Subscribes to its quotes on its first socket only."""

    session_class = _SubscribingOnce


class _SubscribingAgain(_Remembering):
    def subscribe(self, now: float) -> None:
        super().subscribe(now)
        if self.synced_before:
            super().subscribe(now)


@mutant("subscribes-twice-after-a-loss", "REC-035", reason="each subscription comes back once")
class SubscribesAgain(ReferenceClient):
    """Subscribes to its quotes twice on every socket but its first."""

    session_class = _SubscribingAgain


class Charts(_Remembering):
    """Asks for a chart and for a depth of a contract that the user never traded, and for no quotes."""

    def subscribe(self, now: float) -> None:
        for endpoint in ("md/getChart", "md/subscribeDOM"):
            self.request(endpoint, lambda outcome, at: None, now=now, body={"symbol": "GCZ6"})


class _ChartingOnce(Charts):
    def subscribe(self, now: float) -> None:
        if not self.synced_before:
            super().subscribe(now)


@mutant("asks-for-its-chart-once-in-its-life", "REC-035", reason="a chart and a depth end with their socket, as quotes")
class ChartsOnce(ReferenceClient):
    """Asks for a chart and a depth on its first socket only, and for no quotes at all."""

    session_class = _ChartingOnce
