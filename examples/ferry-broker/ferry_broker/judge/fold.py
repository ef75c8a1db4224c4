"""Folds a Ferry trace: who boarded with what, what was said, which fares were asked for. It decides nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from brokercert.judge import Antecedent
from brokercert.judge.sockets import Socket
from brokercert.judge.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Said:
    """A message. `t` in microseconds; `record` is its number in the trace. An empty `op`: it is none of the page's."""

    t: int
    record: int
    op: str
    body: dict[str, Any]


@dataclass(slots=True, eq=False)
class FerrySocket(Socket):
    """One connection as the broker saw it."""

    client_said: list[Said] = field(default_factory=list)
    broker_said: list[Said] = field(default_factory=list)

    @property
    def aboard(self) -> Said | None:
        """When the client was let aboard."""
        return next((said for said in self.broker_said if said.op == "aboard"), None)


class Ride(Transcript[FerrySocket]):
    """Everything said in one scenario."""

    socket = FerrySocket
    credentials = ("badge",)  # a label of it where none belongs is a leak: `self.asides.leaks`

    def client_text(self, c: FerrySocket, number: int, t: int, text: str) -> None:
        c.client_said.append(read(t, number, text))

    def broker_text(self, c: FerrySocket, number: int, t: int, text: str) -> None:
        c.broker_said.append(read(t, number, text))

    @property
    def aboard(self) -> list[FerrySocket]:
        """The sockets on which the client was let aboard."""
        return [c for c in self.connections.values() if c.aboard is not None]


def _asked_for_a_fare(talk: Ride) -> bool:
    return any(said.op == "fare" for c in talk.connections.values() for said in c.broker_said)


# What must have happened before a row can be judged, and what to say where it did not.
ANTECEDENTS = {
    "connected": Antecedent(lambda talk: bool(talk.upgraded), "the client opened no WebSocket"),
    "aboard": Antecedent(lambda talk: bool(talk.aboard), "the client was never let aboard"),
    "lost": Antecedent(lambda talk: any(c.loss for c in talk.aboard), "no connection was lost"),
    "asked-to-leave": Antecedent(lambda talk: bool(talk.stops), "the client was not asked to leave"),
    "fare": Antecedent(_asked_for_a_fare, "no fare was asked for"),
}


def read(t: int, record: int, text: str) -> Said:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        body = {}
    return Said(t, record, str(body.get("op", "")), body)
