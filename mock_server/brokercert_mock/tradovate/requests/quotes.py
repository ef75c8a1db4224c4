"""Market data over the same socket: subscriptions to quotes, and quotes of them (TP §4). A market that hardly moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.requests.turns import Answer
from brokercert_mock.tradovate.state import Entity, State
from brokercert_mock.tradovate.wire import ClientRequest

SUBSCRIBE, UNSUBSCRIBE = "md/subscribequote", "md/unsubscribequote"

BASE = 5000.0  # of every price: a round index, whatever the contract
TICK = 0.25
SWING = 8  # ticks up, then down


class Quotes:
    """Who asked for which contract's quotes. A subscription ends with its socket."""

    def __init__(self, ground: Ground, state: State, stamp: Callable[[], str]) -> None:
        self._ground, self._state, self._stamp = ground, state, stamp
        self._asked: dict[Connection, dict[int, Entity]] = {}
        self._turn = 0

    def answer(self, conn: Connection, request: ClientRequest) -> Answer:
        """The answer to a request to begin or to end a subscription."""
        body = request.body
        contract = self._contract(body.get("symbol") if isinstance(body, dict) else None)
        if contract is None:
            return 404, f"Not found: {request.endpoint}"
        held = self._asked.setdefault(conn, {})
        if request.endpoint == SUBSCRIBE:
            held[contract["id"]] = contract
            self._ground.call_later(0, lambda: self._send(conn, contract))
        else:
            held.pop(contract["id"], None)
        return 200, {}

    def tick(self) -> None:
        """A quote of each subscribed contract, to everybody who asked for it."""
        self._turn += 1
        self._asked = {conn: held for conn, held in self._asked.items() if conn.ended_at is None}
        for conn, held in self._asked.items():
            for contract in held.values():
                self._send(conn, contract)

    def _contract(self, symbol: Any) -> Entity | None:
        """By name, in any letter case, or by id."""
        for contract in self._state.of("contract"):
            if symbol == contract["id"] or str(symbol).lower() == str(contract["name"]).lower():
                return contract
        return None

    def _send(self, conn: Connection, contract: Entity) -> None:
        steps = self._turn % (2 * SWING)
        last = BASE + TICK * min(steps, 2 * SWING - steps)
        entries = {
            "Bid": {"price": last - TICK, "size": 12},
            "Offer": {"price": last + TICK, "size": 9},
            "Trade": {"price": last, "size": 1},
            "TotalTradeVolume": {"size": 1000 + self._turn},
        }
        quote = {"timestamp": self._stamp(), "contractId": contract["id"], "entries": entries}
        conn.send_event("md", {"quotes": [quote]})
