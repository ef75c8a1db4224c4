"""Defects of what was in flight when a socket died."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
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


class _KeepingClient(ReferenceClient):
    """Keeps what it is asked for without a connection. `TELLS`: whoever asked is told at once that it was not sent."""

    TELLS = False

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._kept: list[tuple[str, Callable[[Outcome, float], None], dict[str, Any]]] = []

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        try:
            super().submit(endpoint, done, **more)
        except ConnectionError:
            if self.TELLS:
                done(Outcome(0, None, "no live connection"), 0.0)
            self._kept.append((endpoint, (lambda outcome, now: None) if self.TELLS else done, more))

    def on_event(self, kind: str, data: Any) -> None:
        super().on_event(kind, data)
        session = self._sessions.get(0)
        if self._kept and session is not None and session.live_since is not None:
            kept, self._kept = self._kept, []
            for endpoint, done, more in kept:
                self.submit(endpoint, done, **more)


@mutant(
    "keeps-an-order-until-it-is-back",
    "REC-095",
    reason="an order is made for the price of its moment: it is told as not sent, and not sent later",
)
class Keeps(_KeepingClient):
    """Keeps an order that it is asked for without a connection, and sends it when it is back."""


class _TellingKeeper(_KeepingClient):
    TELLS = True


@mutant(
    "sends-what-it-told-as-not-sent",
    "REC-095",
    reason="whoever was told that the order was not sent has placed another one",
)
class TellsAndKeeps(_TellingKeeper):
    """Tells an order that it is asked for without a connection as not sent, and sends it when it is back."""


class _Dropping(ReferenceClient):
    """Drops what it is asked for without a connection."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        with suppress(ConnectionError):
            super().submit(endpoint, done, **more)


@mutant("drops-an-order-while-away", "REC-095", reason="whoever asked for the order is told that it was not sent")
class Drops(_Dropping):
    """Drops an order that it is asked for without a connection, and tells nobody."""


class _Boasting(ReferenceClient):
    """Takes what it is asked for without a connection for done."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        try:
            super().submit(endpoint, done, **more)
        except ConnectionError:
            done(Outcome(200, {}), 0.0)


@mutant("tells-an-order-while-away-as-placed", "REC-095", reason="it was never sent")
class Boasts(_Boasting):
    """Tells an order that it is asked for without a connection as placed."""


class _Impatient(ReferenceClient):
    """Takes a socket for a connection, whether it is logged in or not."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, shard: int = 0, **more: Any) -> None:
        session = self._sessions.get(shard)
        if session is None:
            raise ConnectionError("no connection")
        session.request(endpoint, done, now=asyncio.get_running_loop().time(), **more)
        self._wake[shard].set()


@mutant(
    "sends-requests-while-it-logs-in",
    "REC-020",
    reason="nothing but authorize goes out on a new socket before its answer",
)
class Impatient(_Impatient):
    """Sends what it is asked for as soon as there is a socket, be it that authorize is not answered yet."""
