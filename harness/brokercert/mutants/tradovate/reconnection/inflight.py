"""Defects of what was in flight when a socket died."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome


class _AgainClient(ReferenceClient):
    """Keeps the orders that a lost socket had in flight, and sends them on the next one."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._again: list[tuple[str, Callable[[Outcome, float], None], dict[str, Any]]] = []

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def told(outcome: Outcome, now: float) -> None:
            if outcome.error == "the connection was lost" and endpoint == "order/placeorder":
                self._again.append((endpoint, done, more))
            else:
                done(outcome, now)

        super().submit(endpoint, told, **more)

    def on_event(self, kind: str, data: Any) -> None:
        super().on_event(kind, data)
        self.send_again()

    def send_again(self) -> None:
        session = self._sessions.get(0)
        if self._again and session is not None and session.live_since is not None:
            again, self._again = self._again, []
            for endpoint, done, more in again:
                self.submit(endpoint, done, **more)


@mutant(
    "sends-an-order-again-after-a-cut",
    "REC-090",
    reason="the order may have been taken: sent again, it is a second one",
)
class SendsAgain(_AgainClient):
    """Sends on its new socket the orders that were in flight on the one that died."""


class _Hopeful(ReferenceClient):
    """Takes what was in flight for done."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def told(outcome: Outcome, now: float) -> None:
            done(Outcome(200, {}) if outcome.error == "the connection was lost" else outcome, now)

        super().submit(endpoint, told, **more)


@mutant(
    "takes-an-order-in-flight-for-placed", "REC-090", reason="nobody said so, and the broker may never have seen it"
)
class TakesInFlight(_Hopeful):
    """Tells an order that was in flight when its socket died as placed."""


class _Fearful(ReferenceClient):
    """Takes what was in flight for refused."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def told(outcome: Outcome, now: float) -> None:
            lost = outcome.error == "the connection was lost" and endpoint == "order/placeorder"
            done(Outcome(200, {"failureReason": "UnknownReason"}, "UnknownReason") if lost else outcome, now)

        super().submit(endpoint, told, **more)


@mutant(
    "takes-an-order-in-flight-for-refused",
    "REC-090",
    reason="nobody refused it: the broker has it, and whoever believes the refusal places a second one",
)
class RefusesInFlight(_Fearful):
    """Tells an order that was in flight when its socket died as refused by the broker."""


class _Forgetting(ReferenceClient):
    """Forgets what was in flight."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def told(outcome: Outcome, now: float) -> None:
            if outcome.error != "the connection was lost":
                done(outcome, now)

        super().submit(endpoint, told, **more)


@mutant("forgets-an-order-in-flight", "REC-090", reason="whoever asked for the order is told that its end is not known")
class Forgets(_Forgetting):
    """Tells nothing of an order that was in flight when its socket died."""
