"""The risk check: what a command that was taken is turned down for (TP §8, §9).

Which check is made here and which at entry is inferred. No limit is set unless a scenario sets it.
"""

from __future__ import annotations

from typing import Literal

from brokercert_mock.ledger import Books
from brokercert_mock.seed import Entity, State

Verb = Literal["New", "Modify", "Cancel"]


class Risk:
    """`max_order_qty` and `max_position` (in a contract, either side) may be set at any time; None: no limit."""

    def __init__(self, state: State, books: Books) -> None:
        self.max_order_qty: int | None = None
        self.max_position: int | None = None
        self._state = state
        self._books = books
        self._scripted: list[tuple[Verb, str, str]] = []

    def reject_next(self, verb: Verb, reason: str, text: str) -> None:
        """Turn down the next command of this kind."""
        self._scripted.append((verb, reason, text))

    def refusal(self, command: Entity, filled: int) -> tuple[str, str] | None:
        """Why the risk check turns a command down."""
        for scripted in self._scripted:
            if scripted[0] == command["commandType"]:
                self._scripted.remove(scripted)
                return scripted[1:]
        if command["commandType"] == "Cancel":
            return None
        order = self._state.entities["order"][command["orderId"]]
        version = self._state.entities["orderVersion"][command["id"]]
        if self.max_order_qty is not None and version["orderQty"] > self.max_order_qty:
            return "MaxOrderQtyLimitReached", f"Order quantity is limited to {self.max_order_qty}"
        if self.max_position is not None:
            left = version["orderQty"] - filled
            net = self._books.net(order["accountId"], order["contractId"])
            if abs(net + (left if order["action"] == "Buy" else -left)) > self.max_position:
                return "MaxPosLimitReached", f"Position is limited to {self.max_position}"
        return None
