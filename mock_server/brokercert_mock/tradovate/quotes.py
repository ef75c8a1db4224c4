"""Market data over the same socket: subscriptions to quotes, and quotes of them (TP §4). A market that hardly moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brokercert_mock.tradovate.seed import Entity

if TYPE_CHECKING:
    from brokercert_mock.tradovate.broker import TradovateBroker
    from brokercert_mock.tradovate.connection import Connection

Answer = tuple[int, Any]

BASE = 5000.0  # of every price: a round index, whatever the contract
TICK = 0.25
SWING = 8  # ticks up, then down


class Quotes:
    """Who asked for which contract's quotes. A subscription ends with its socket."""

    def __init__(self, broker: TradovateBroker) -> None:
        self.broker = broker
        self._asked: dict[Connection, dict[int, Entity]] = {}
        self._turn = 0

    def answer(self, conn: Connection, endpoint: str, body: Any) -> Answer | None:
        """The answer to `md/subscribequote` and `md/unsubscribequote`; None for any other endpoint."""
        if endpoint not in ("md/subscribequote", "md/unsubscribequote"):
            return None
        contract = self._contract(body.get("symbol") if isinstance(body, dict) else None)
        if contract is None:
            return 404, f"Not found: {endpoint}"
        held = self._asked.setdefault(conn, {})
        if endpoint == "md/subscribequote":
            held[contract["id"]] = contract
            self.broker.call_later(0, lambda: self._send(conn, contract))
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
        for contract in self.broker.db.of("contract"):
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
        quote = {"timestamp": self.broker.stamp(), "contractId": contract["id"], "entries": entries}
        conn.send_event("md", {"quotes": [quote]})
