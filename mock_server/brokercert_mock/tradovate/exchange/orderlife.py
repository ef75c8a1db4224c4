"""The life of orders: commands told, checked and carried out; fills, ends, and what hangs on them (TP §8).

Everything happens within the call: the state is changed step by step, and each step is told as one frame. Numbers come
from one counter; a New command has its order's number, a Modify its version's, as observed.

Observed (TP §8): a modify's first frame holds the command and the version, its next the command's report; a partial
fill leaves the order Working. Inferred, and settings: what tells `AtExecution`, which command a fill's execution report
hangs on, when an OSO's brackets wake and an OCO's sibling goes, how an IOC or FOK ends that is not filled. Inferred and
fixed: the rest of the sequences (TP §8 writes them out); brackets are Suspended until they wake, and those that sleep
end with their parent, rejected (`ParentRejected` is documented) or cancelled (docs/rules.md, "What no document says").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from brokercert_mock.tradovate.exchange.commands import AT_ONCE, TERMINAL, NewOrder, Sender, Tally
from brokercert_mock.tradovate.exchange.ledger import Books, average, current_version
from brokercert_mock.tradovate.exchange.risk import Risk, Verb
from brokercert_mock.tradovate.exchange.tellings import Tellings
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import Change, Entity, State

AutoFill = Literal["never", "at once", "partial then full"]

PRICES = {"ES": Decimal(5000), "NQ": Decimal(17500)}  # where a market stands at the start [ours]


class OrderLife:
    """The orders of one broker.

    `publish` tells one frame's worth of changes; `sender` is the user by hand, for what a scenario places. May be set
    at any time: `auto_fill`, what happens to a client's order that reaches the market; `paused`: commands stay pending;
    and the limits of `risk`. The inferred parts are as `settings` has them.
    """

    def __init__(
        self,
        state: State,
        stamp: Callable[[], str],
        publish: Callable[[Sequence[Change]], None],
        *,
        sender: Sender,
        settings: Settings,
    ) -> None:
        self.state = state
        self.settings = settings
        self.books = Books(state, stamp, settings)
        self.auto_fill: AutoFill = "never"
        self.paused = False
        self.stamp = stamp
        self.publish = publish
        self._tell = Tellings(state, stamp, publish, settings)
        self._sender = sender
        self.tallies: dict[int, Tally] = {}
        self.risk = Risk(state, self.books, self.tallies)
        self._children: dict[int, list[int]] = {}
        self.prices = {x["id"]: PRICES[x["name"][:2]] for x in state.of("contract")}

    # What is known of orders.

    def order(self, order_id: int) -> Entity:
        """ValueError where there is none."""
        order = self.state.entities["order"].get(order_id)
        if order is None:
            raise ValueError(f"order {order_id}: there is none")
        return order

    def is_over(self, order_id: int) -> bool:
        return self.order(order_id)["ordStatus"] in TERMINAL

    def pending(self, order_id: int) -> Entity | None:
        """The command that is under way."""
        return self.tallies[order_id].pending

    def filled(self, order_id: int) -> int:
        return self.tallies[order_id].filled

    def left(self, order_id: int) -> int:
        """What is not filled of an order's current version."""
        qty: int = current_version(self.state, order_id)["orderQty"]
        return qty - self.filled(order_id)

    def contract_of(self, symbol: str) -> Entity | None:
        return next((x for x in self.state.of("contract") if x["name"].lower() == symbol.lower()), None)

    # Commands: told, checked, carried out.

    def new_orders(self, *orders: NewOrder, sender: Sender | None = None) -> list[int]:
        """New commands: all are told before the first is checked, so that orders that name each other know each other.
        Their orders' ids.
        """
        commands = []
        for asked in orders:
            ident = self.state.new_id() if asked.ident is None else asked.ident
            is_bracket = "parentId" in asked.links
            self.tallies[ident] = Tally(by_client=sender is not None, asleep=is_bracket)
            if is_bracket:
                self._children.setdefault(asked.links["parentId"], []).append(ident)
            order = {
                "id": ident,
                "accountId": asked.account_id,
                "contractId": asked.contract_id,
                "timestamp": self.stamp(),
                "action": asked.action,
                "ordStatus": "PendingNew",
                **asked.links,
                "admin": False,
            }
            told = [self.state.change("order", order)]
            commands.append(self._announce("New", ident, ident, asked.version, asked.command, sender, told))
        for asked, command in zip(orders, commands, strict=True):
            if self.tallies[command["id"]].pending is not None:  # not ended by another of them meanwhile
                self._check(command, asked.refusal)
        return [int(command["id"]) for command in commands]

    def change_order(
        self,
        order_id: int,
        version: Mapping[str, Any],
        command: Mapping[str, Any] | None = None,
        *,
        sender: Sender | None = None,
        refusal: tuple[str, str] | None = None,
    ) -> int:
        """A Modify command with the whole new version. Its id, which is the version's too."""
        return self._command("Modify", order_id, version, command, sender, refusal)

    def cancel_order(
        self,
        order_id: int,
        command: Mapping[str, Any] | None = None,
        *,
        sender: Sender | None = None,
        refusal: tuple[str, str] | None = None,
    ) -> int:
        """A Cancel command. Its id."""
        return self._command("Cancel", order_id, None, command, sender, refusal)

    def _command(
        self,
        verb: Verb,
        order_id: int,
        version: Mapping[str, Any] | None,
        fields: Mapping[str, Any] | None,
        sender: Sender | None,
        refusal: tuple[str, str] | None,
    ) -> int:
        """A command for an order that there is. With a `refusal` the order cannot take it: it is told and turned down,
        and changes nothing of the order or of the command under way.
        """
        ident, tally = self.state.new_id(), self.tallies[order_id]
        under_way = tally.pending
        command = self._announce(verb, ident, order_id, version, fields, sender, [])
        if refusal is None:
            self._check(command, None)
        else:
            status, (reason, text) = self.order(order_id)["ordStatus"], refusal
            self._report(command, "RiskRejected", ordStatus=status, rejectReason=reason, text=text)
            tally.pending = under_way
        return ident

    def _announce(
        self,
        verb: Verb,
        ident: int,
        order_id: int,
        version: Mapping[str, Any] | None,
        fields: Mapping[str, Any] | None,
        sender: Sender | None,
        told: list[Change],
    ) -> Entity:
        """Tell of a command, in one frame with the order that it makes (`told`) and the version that it brings."""
        who = sender or self._sender
        command = {
            "id": ident,
            "orderId": order_id,
            "timestamp": self.stamp(),
            "commandType": verb,
            "commandStatus": "Pending",
            "senderId": who.user_id,
            "userSessionId": who.session_id,
            **({"isAutomated": False} | dict(fields or {})),
        }
        self._tell.command(command, version, told)
        self.tallies[order_id].pending = command
        return command

    def _check(self, command: Entity, refusal: tuple[str, str] | None) -> None:
        """The risk check, unless its `refusal` is known; what passes is carried out, unless the exchange is paused."""
        order_id, verb = command["orderId"], command["commandType"]
        refusal = refusal or self.risk.refusal(command)
        if refusal is not None:
            self.refuse(command, "RiskRejected", *refusal)
            return
        command = self._report(command, "RiskPassed")
        if verb != "New" and self.order(order_id)["ordStatus"] != "Suspended":
            self._status(order_id, "PendingReplace" if verb == "Modify" else "PendingCancel")
        if not self.paused:
            self.carry_out(command)

    def carry_out(self, command: Entity) -> None:
        """A command that passed the risk check reaches the exchange."""
        order_id = command["orderId"]
        order = self.order(order_id)
        match command["commandType"]:
            case "New" if self.tallies[order_id].asleep:
                self.tallies[order_id].pending = None
                self._report(command, "ExecutionSuspended", ordStatus="Suspended")
                self._status(order_id, "Suspended")
            case "New":
                self.tallies[order_id].pending = None
                self._to_market(command)
            case "Modify":
                if self.state.entities["orderVersion"][command["id"]]["orderQty"] <= self.filled(order_id):
                    self.refuse(command, "ExecutionRejected", "TooLate", "So many are filled already")
                    return
                self.tallies[order_id].pending = None
                if order["ordStatus"] == "Suspended":
                    self._report(command, "ExecutionSuspended", ordStatus="Suspended")
                    return
                self._execution(command["id"], order, "Replaced", "Working")
                self._report(command, "AtExecution", ordStatus="Working")
                self._status(order_id, "Working")
                if current_version(self.state, order_id).get("timeInForce") in AT_ONCE:
                    self._meet_market(order_id)  # as if it came with this anew
            case _:
                self.tallies[order_id].pending = None
                self._execution(command["id"], order, "Canceled", "Canceled")
                self._report(command, "AtExecution", ordStatus="Canceled")
                self._over(order_id, "Canceled")

    def _to_market(self, command: Entity) -> None:
        order_id = command["orderId"]
        order = self.order(order_id)
        if "parentId" in order:  # it was asleep when the limits were asked
            refusal = self.risk.over_limit(order, current_version(self.state, order_id)["orderQty"])
            if refusal is not None:
                self.drop_pending(order_id)
                self.refuse(command, "RiskRejected", *refusal)
                return
        self._execution(command["id"], order, "New", "Working")
        self._report(command, "AtExecution", ordStatus="Working")
        self._status(order_id, "Working")
        self._meet_market(order_id)

    def _meet_market(self, order_id: int) -> None:
        """What an order finds at the market: a client's, what `auto_fill` says, but a FOK all or nothing. One that
        does not wait ends with what is left.
        """
        version = current_version(self.state, order_id)
        kind, left = version.get("timeInForce"), self.left(order_id)
        policy = self.auto_fill if self.tallies[order_id].by_client else "never"
        if policy == "partial then full" and left > 1 and kind != "FOK":
            self.enter_fill(order_id, left // 2)
        if policy != "never":
            self.enter_fill(order_id, self.left(order_id))
        if kind in AT_ONCE and not self.is_over(order_id):
            self.end(order_id, self.settings.unfilled_ends, version["id"])

    def refuse(self, command: Entity, status: str, reason: str, text: str) -> None:
        """A command comes to nothing: a New takes its order with it, any other leaves it as it was."""
        order_id = command["orderId"]
        self.tallies[order_id].pending = None
        is_new = command["commandType"] == "New"
        before = "Suspended" if self.order(order_id)["ordStatus"] == "Suspended" else "Working"
        after = "Rejected" if is_new else before
        if self.is_over(order_id):
            after = self.order(order_id)["ordStatus"]
        self._report(command, status, ordStatus=after, rejectReason=reason, text=text)
        if is_new:
            if status == "ExecutionRejected":
                self._execution(command["id"], self.order(order_id), "Rejected", after, rejectReason=reason, text=text)
            self._over(order_id, "Rejected")
        elif self.order(order_id)["ordStatus"] != after:
            self._status(order_id, after)

    # Fills and ends.

    def own_price(self, order_id: int) -> Decimal:
        """The price at which an order would be filled: its own, or the market's."""
        version = current_version(self.state, order_id)
        price: Decimal | None = version.get("price", version.get("stopPrice"))
        return self.prices[self.order(order_id)["contractId"]] if price is None else price

    def enter_fill(self, order_id: int, size: int, price: Decimal | None = None) -> int:
        """A fill of an order at the market, of no more than is left. Its id."""
        order, version, tally = self.order(order_id), current_version(self.state, order_id), self.tallies[order_id]
        price = self.own_price(order_id) if price is None else price
        tally.filled += size
        tally.value += size * price
        done = tally.filled == version["orderQty"]
        self._execution(
            version["id"] if self.settings.fill_reports == "current command" else order_id,
            order,
            "Trade",
            "Filled" if done else "Working",
            avgPx=average(tally.value, tally.filled),
            lastQty=size,
            lastPx=price,
        )
        fill = self._tell.fill(order, size, price)
        if done:
            self.drop_pending(order["id"])
            self._status(order["id"], "Filled")
        for change in self.books.book(order["accountId"], fill, done):
            self.publish([change])
        self._cancel_sibling(order)
        if done or self.settings.oso_wakes == "first fill":
            self._wake_brackets(order["id"])
        return int(fill["id"])

    def end(
        self, order_id: int, status: Literal["Canceled", "Expired"], command_id: int, by_sibling: bool = False
    ) -> None:
        """An order ends without a command for it; `by_sibling`: since the other of its OCO was filled."""
        self.drop_pending(order_id)
        self._execution(command_id, self.order(order_id), status, status)
        self._over(order_id, status, by_sibling)

    def _over(self, order_id: int, status: str, by_sibling: bool = False) -> None:
        """An order ends unfilled, and those that hang on it."""
        self._status(order_id, status)
        self.end_what_hangs_on(order_id, status, by_sibling)

    def end_what_hangs_on(self, order_id: int, status: str, by_sibling: bool = False) -> None:
        """The brackets that still wait for an order, and an OCO's sibling where that is the setting (not the one that
        ended it: a part of that is filled); and its account, which is settled.
        """
        for change in self.books.settle(order_id):
            self.publish([change])
        for other in self._brackets(order_id):
            if self.is_over(other):
                continue  # the first took its sibling with it
            self.drop_pending(other)
            if status == "Rejected":
                command = self.state.entities["command"][other]
                self.refuse(command, "ExecutionRejected", "ParentRejected", f"Order {order_id} was rejected")
            else:
                self.end(other, "Canceled", other)
        if self.settings.oco_cancel == "any end" and not by_sibling:
            self._cancel_sibling(self.order(order_id))

    def drop_pending(self, order_id: int) -> None:
        """The command under way comes too late. (A New that is under way ends with its order.)"""
        command, self.tallies[order_id].pending = self.tallies[order_id].pending, None
        if command is not None and command["commandType"] != "New":
            self._report(command, "ExecutionRejected", rejectReason="TooLate", text="The order is done")

    def _cancel_sibling(self, order: Entity) -> None:
        other = self.state.entities["order"].get(order.get("ocoId", 0))
        if other is not None and other["ordStatus"] not in TERMINAL:
            self.end(other["id"], "Canceled", other["id"], by_sibling=True)

    def _brackets(self, parent_id: int) -> list[int]:
        """The orders that wait for this one."""
        return [
            x
            for x in self._children.get(parent_id, ())
            if x in self.tallies and self.tallies[x].asleep and not self.is_over(x)
        ]

    def _wake_brackets(self, parent_id: int) -> None:
        for order_id in self._brackets(parent_id):
            if self.is_over(order_id):
                continue  # the first, filled at once, cancels the second
            self.tallies[order_id].asleep = False
            if self.order(order_id)["ordStatus"] == "Suspended":  # else it is still on its way
                self._to_market(self.state.entities["command"][order_id])

    # What is told.

    def _status(self, order_id: int, status: str) -> None:
        self._tell.status(self.order(order_id), status)

    def _report(self, command: Entity, status: str, **fields: Any) -> Entity:
        """The command as it is from then on."""
        after = self._tell.report(command, status, **fields)
        tally = self.tallies[command["orderId"]]
        if tally.pending is not None and tally.pending["id"] == command["id"]:
            tally.pending = after
        return after

    def _execution(self, command_id: int, order: Entity, kind: str, status: str, **fields: Any) -> None:
        self._tell.execution(command_id, order, self.filled(order["id"]), kind, status, **fields)
