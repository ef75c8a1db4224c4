"""The risk check: what a command that was taken is turned down for (TP §8, §9).

Which check is made here and which at entry is inferred, and a setting (`Settings.account_checks`,
`Settings.command_checks`, `Settings.limit_checks`). No limit is set unless a scenario sets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from brokercert_mock.tradovate.exchange.commands import TERMINAL, Tally
from brokercert_mock.tradovate.exchange.ledger import Books, current_version
from brokercert_mock.tradovate.state import Entity, State

Verb = Literal["New", "Modify", "Cancel"]


class Risk:
    """`max_order_qty` and `max_position` (in a contract, either side) may be set at any time; None: no limit."""

    def __init__(self, state: State, books: Books, tallies: Mapping[int, Tally]) -> None:
        self.max_order_qty: int | None = None
        self.max_position: int | None = None
        self._state = state
        self._books = books
        self._tallies = tallies
        self._scripted: list[tuple[Verb, str, str]] = []

    def reject_next(self, verb: Verb, reason: str, text: str) -> None:
        """Turn down the next command of this kind."""
        self._scripted.append((verb, reason, text))

    def refusal(self, command: Entity) -> tuple[str, str] | None:
        """Why the risk check turns a command down."""
        for scripted in self._scripted:
            if scripted[0] == command["commandType"]:
                self._scripted.remove(scripted)
                return scripted[1:]
        if command["commandType"] == "Cancel":
            return None
        return self.over_limit(self._state.entities["order"][command["orderId"]], self._version(command)["orderQty"])

    def over_limit(self, order: Entity, qty: int) -> tuple[str, str] | None:
        """Which limit an order of this quantity would break. The position that a bracket may lead to is asked for
        when it wakes, since it is there to close what its parent opened.
        """
        tally = self._tallies[order["id"]]
        return self.would_break(order, qty, tally.filled, asleep=tally.asleep)

    def would_break(self, order: Entity, qty: int, filled: int = 0, *, asleep: bool) -> tuple[str, str] | None:
        """The same, also of an order that is not there yet: its account, contract and action, and the id 0."""
        if self.max_order_qty is not None and qty > self.max_order_qty:
            return "MaxOrderQtyLimitReached", f"Order quantity is limited to {self.max_order_qty}"
        if self.max_position is None or asleep:
            return None
        net = self._books.net(order["accountId"], order["contractId"])
        side = 1 if order["action"] == "Buy" else -1
        if side * net + self._could_fill(order, qty - filled) > self.max_position:
            return "MaxPosLimitReached", f"Position is limited to {self.max_position}"
        return None

    def _could_fill(self, order: Entity, left: int) -> int:
        """The most that may yet be filled on an order's side, of itself and of all that works there. Of an OCO's two
        only the larger, since a fill of one ends the other.
        """
        lefts, orders = {order["id"]: left}, {order["id"]: order}
        same = ("accountId", "contractId", "action")
        for ident, tally in self._tallies.items():
            other = self._state.entities["order"][ident]
            if ident != order["id"] and all(other.get(x) == order[x] for x in same) and not tally.asleep:
                if other["ordStatus"] not in TERMINAL:
                    lefts[ident], orders[ident] = self._most_left(ident, tally), other
        total = 0
        for ident, one in lefts.items():
            sibling = orders[ident].get("ocoId", -1)
            if (lefts.get(sibling, -1), sibling) < (one, ident):
                total += one
        return total

    def _most_left(self, order_id: int, tally: Tally) -> int:
        """What is left of an order, or will be when the change under way comes through."""
        qty: int = current_version(self._state, order_id)["orderQty"]
        if tally.pending is not None and tally.pending["commandType"] == "Modify":
            qty = max(qty, self._version(tally.pending)["orderQty"])
        return qty - tally.filled

    def _version(self, command: Entity) -> Entity:
        return self._state.entities["orderVersion"][command["id"]]
