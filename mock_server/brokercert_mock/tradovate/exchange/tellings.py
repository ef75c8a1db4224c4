"""What is told of an order: each of its entities made, kept, and published as one frame (TP §8).

In which order these come, and what of that is observed or inferred: `orderlife.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import TRADE_DATE, Change, Entity, State


class Tellings:
    """`publish` tells one frame's worth of changes, `stamp` is the time as the wire says it."""

    def __init__(
        self,
        state: State,
        stamp: Callable[[], str],
        publish: Callable[[Sequence[Change]], None],
        settings: Settings,
    ) -> None:
        self._settings = settings
        self.state = state
        self.stamp = stamp
        self.publish = publish

    def command(self, command: Entity, version: Mapping[str, Any] | None, told: list[Change]) -> None:
        """A command, in one frame with the order that it makes (`told`) and the version that it brings, whose number
        is the command's.
        """
        told = [*told, self.state.change("command", command)]
        if version is not None:
            entity = {"id": command["id"], "orderId": command["orderId"], **version}
            told.append(self.state.change("orderVersion", entity))
        self.publish(told)

    def status(self, order: Entity, status: str) -> None:
        """The order, with another status."""
        self.publish([self.state.change("order", order | {"ordStatus": status})])

    def report(self, command: Entity, status: str, **fields: Any) -> Entity:
        """A command's report, and then the command as it is from then on, which is returned. `AtExecution` is told by
        one of them only where that is the setting.
        """
        told_by = self._settings.at_execution if status == "AtExecution" else "report and command"
        if told_by != "command":
            self._report(command, status, fields)
        if told_by == "report":
            return command
        after = command | {"commandStatus": status}
        self.publish([self.state.change("command", after)])
        return after

    def _report(self, command: Entity, status: str, fields: Mapping[str, Any]) -> None:
        report = {
            "id": self.state.new_id(),
            "commandId": command["id"],
            "timestamp": self.stamp(),
            "commandStatus": status,
            **fields,
        }
        self.publish([self.state.change("commandReport", report)])

    def execution(self, command_id: int, order: Entity, filled: int, kind: str, status: str, **fields: Any) -> None:
        """An execution report; `filled` of the order are filled by then."""
        report = {
            "id": self.state.new_id(),
            "commandId": command_id,
            "name": kind,
            "accountId": order["accountId"],
            "contractId": order["contractId"],
            "timestamp": self.stamp(),
            "tradeDate": TRADE_DATE,
            "orderId": order["id"],
            "execType": kind,
            "ordStatus": status,
            "action": order["action"],
            "cumQty": filled,
            **fields,
            "exchangeOrderId": f"X{order['id']}",
        }
        self.publish([self.state.change("executionReport", report)])

    def fill(self, order: Entity, size: int, price: Decimal) -> Entity:
        fill = {
            "id": self.state.new_id(),
            "orderId": order["id"],
            "contractId": order["contractId"],
            "timestamp": self.stamp(),
            "tradeDate": TRADE_DATE,
            "action": order["action"],
            "qty": size,
            "price": price,
            "active": True,
            "finallyPaired": 0,
        }
        self.publish([self.state.change("fill", fill)])
        return fill
