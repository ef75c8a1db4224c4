"""The exchange: orders with versions, commands, reports and fills, and how they become one another (TP §8).

    ident = broker.exchange.place(account_id, "ESH6", "Buy", 2, price=5000.25)   # the user's, from elsewhere
    broker.exchange.fill(ident, 1); broker.exchange.fill(ident)                   # one, then the rest
    broker.exchange.cancel(ident)
    broker.exchange.reject_next("MaxPosLimitReached", "Position limit of 5 reached")

Everything happens within the call: the state is changed step by step, and each step is told as one frame. Numbers come
from one counter; a New command has its order's number, a Modify its version's, as observed. What is asked of an order
that is not in the state for it is a mistake of the script: ValueError.

Observed (TP §8): a modify's first frame holds the command and the version, its next the command's report; a partial
fill leaves the order Working. Inferred: the rest of the sequences (TP §8 writes them out), `AtExecution` told by
report and command alike, the execution report of a fill hanging on the version's command, an OSO's brackets Suspended
until their parent is filled and cancelled if it ends otherwise, an OCO's sibling cancelled at the first fill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from brokercert_mock.ledger import Books, average, current_version, exact
from brokercert_mock.seed import TRADE_DATE, Change, Entity, State

Action = Literal["Buy", "Sell"]
AutoFill = Literal["never", "at once", "partial then full"]
Verb = Literal["New", "Modify", "Cancel"]

TERMINAL = ("Canceled", "Completed", "Expired", "Filled", "Rejected")
AT_MARKET = ("Working", "PendingReplace", "PendingCancel")  # in these an order can be filled
PRICES = {"ES": Decimal(5000), "NQ": Decimal(17500)}  # where a market stands at the start [ours]
PRICE_FIELDS = ("price", "stopPrice", "limitIfTouchedPrice", "pegDifference")
DELETABLE = ("order", "position")  # of what is compared; entities that the books need stay


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a command."""

    user_id: int
    session_id: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a New command asks for. `version` and `command` are fields of those entities, `links` of the order
    (`parentId`, `ocoId`); `ident` is a number drawn before, for orders that name each other.
    """

    account_id: int
    contract_id: int
    action: str
    version: Mapping[str, Any]
    command: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, int] = field(default_factory=dict)
    ident: int | None = None


@dataclass(slots=True)
class Tally:
    """What came of an order so far, and the command under way (None: none)."""

    filled: int = 0
    value: Decimal = field(default_factory=Decimal)
    pending: Entity | None = None
    by_client: bool = False


class Exchange:
    """The orders of one broker.

    `publish` tells one frame's worth of changes; `sender` is the user by hand, for what a scenario places;
    `oco_cancel` is when an OCO's sibling is cancelled. May be set at any time: `auto_fill`, what happens to a client's
    order that reaches the market; `max_order_qty` and `max_position` (in a contract), limits of the risk check.
    """

    def __init__(
        self,
        state: State,
        stamp: Callable[[], str],
        publish: Callable[[Sequence[Change]], None],
        *,
        sender: Sender,
        oco_cancel: Literal["fill", "any end"] = "fill",
    ) -> None:
        self.state = state
        self.books = Books(state, stamp)
        self.auto_fill: AutoFill = "never"
        self.max_order_qty: int | None = None
        self.max_position: int | None = None
        self.paused = False
        self._stamp = stamp
        self._publish = publish
        self._sender = sender
        self._oco_cancel = oco_cancel
        self._tallies: dict[int, Tally] = {}
        self._children: dict[int, list[int]] = {}
        self._rejects: list[tuple[Verb, str, str]] = []
        self._prices = {x["id"]: PRICES[x["name"][:2]] for x in state.of("contract")}

    # What a scenario says. Prices are numbers or decimals; one line each.

    def place(
        self,
        account_id: int,
        symbol: str,
        action: Action,
        qty: int,
        order_type: str = "Limit",
        *,
        price: float | Decimal | None = None,
        stop_price: float | Decimal | None = None,
        time_in_force: str = "Day",
    ) -> int:
        """An order of the user's own, from elsewhere. Its id."""
        contract = self.contract_of(symbol)
        if contract is None or account_id not in self.state.accounts:
            raise ValueError(f"no account {account_id} or no contract {symbol}")
        version: dict[str, Any] = {"orderQty": qty, "orderType": order_type}
        prices = {"price": price, "stopPrice": stop_price}
        version |= {name: exact(value) for name, value in prices.items() if value is not None}
        version["timeInForce"] = time_in_force
        return self.new_orders(NewOrder(account_id, contract["id"], action, version))[0]

    def modify(self, order_id: int, **changes: Any) -> int:
        """A modification from elsewhere: `orderQty`, `orderType`, `price`, `stopPrice`, ... Its command's id."""
        fields = {name: exact(x) if name in PRICE_FIELDS else x for name, x in changes.items()}
        self._demand(order_id, not self.is_over(order_id) and self.pending(order_id) is None, "modify")
        version = {k: v for k, v in current_version(self.state, order_id).items() if k not in ("id", "orderId")}
        return self.change_order(order_id, version | fields)

    def cancel(self, order_id: int) -> int:
        """A cancellation from elsewhere. Its command's id."""
        self._demand(order_id, not self.is_over(order_id) and self.pending(order_id) is None, "cancel")
        return self.cancel_order(order_id)

    def fill(self, order_id: int, qty: int | None = None, price: float | Decimal | None = None) -> int:
        """A fill of so many (None: all that is left), at a price (None: the order's own, or the market's). Its id."""
        order, version, tally = self.order(order_id), current_version(self.state, order_id), self._tallies[order_id]
        left = version["orderQty"] - tally.filled
        size = left if qty is None else qty
        self._demand(order_id, order["ordStatus"] in AT_MARKET and 0 < size <= left, f"fill {size} of")
        at = exact(price) if price is not None else self._own_price(order, version)
        return self._fill(order, version, tally, size, at)

    def reject(self, order_id: int, reason: str = "UnknownReason", text: str = "Rejected by the exchange") -> None:
        """The exchange turns an order down that it had, or that is still pending. Not one that is partly filled."""
        self._demand(order_id, not self.is_over(order_id) and not self._tallies[order_id].filled, "reject")
        command = self.state.entities["command"][order_id]
        self._drop_pending(order_id)
        self._refuse(command, "ExecutionRejected", reason, text)

    def expire(self, order_id: int) -> None:
        """The order's time is over."""
        self._demand(order_id, not self.is_over(order_id), "expire")
        self._end(order_id, "Expired", current_version(self.state, order_id)["id"])

    def expire_due(self, now: str) -> None:
        """Every order whose own time (`GTD`, `expireTime`) is over at `now`, as the API writes times."""
        for order in self.state.of("order"):
            if self.is_over(order["id"]):
                continue
            version = current_version(self.state, order["id"])
            if version["timeInForce"] == "GTD" and version["expireTime"] <= now:
                self.expire(order["id"])

    def end_day(self) -> None:
        """Every order for the day expires."""
        for order in self.state.of("order"):
            if not self.is_over(order["id"]) and current_version(self.state, order["id"])["timeInForce"] == "Day":
                self.expire(order["id"])

    def reject_next(
        self, reason: str = "UnknownReason", text: str = "Rejected by the risk check", *, verb: Verb = "New"
    ) -> None:
        """The risk check turns down the next command of this kind, whoever sends it."""
        self._rejects.append((verb, reason, text))

    def pause(self) -> None:
        """From here on commands are taken and stay pending: PendingNew, PendingReplace, PendingCancel."""
        self.paused = True

    def resume(self) -> None:
        """Commands come through again, first of all those that are pending, in the order in which they came."""
        self.paused = False
        commands = [tally.pending for tally in self._tallies.values() if tally.pending is not None]
        for command in sorted(commands, key=lambda x: int(x["id"])):
            tally = self._tallies[command["orderId"]]
            if tally.pending is not None and tally.pending["id"] == command["id"]:
                self._carry_out(command)

    def delete(self, kind: str, ident: int) -> None:
        """Take an order (live or not) or a flat position away for good."""
        if kind not in DELETABLE:
            raise ValueError(f"delete {kind} {ident}: expected one of {', '.join(DELETABLE)}: the books need the rest")
        if kind == "position" and self.state.entities["position"][ident]["netPos"]:
            raise ValueError(f"delete position {ident}: it is not flat; close it first")
        self._publish([self.state.remove(kind, ident)])
        if kind == "order":
            del self._tallies[ident]

    def change(self, kind: str, ident: int, **fields: Any) -> None:
        """Other values of an entity that the exchange does not keep itself: `account`, `contract`, `user`, ..."""
        if kind in ("order", "orderVersion", "command", "fill", "position", "cashBalance"):
            raise ValueError(f"change {kind} {ident}: the exchange keeps it; place, modify, fill or cancel instead")
        self._publish([self.state.change(kind, self.state.entities[kind][ident] | fields)])

    def price_of(self, symbol: str) -> Decimal:
        """Where the market stands."""
        contract = self.contract_of(symbol)
        if contract is None:
            raise ValueError(f"no contract {symbol}")
        return self._prices[contract["id"]]

    def set_price(self, symbol: str, price: float | Decimal) -> None:
        """Move the market. It fills nothing by itself."""
        contract = self.contract_of(symbol)
        if contract is None:
            raise ValueError(f"no contract {symbol}")
        self._prices[contract["id"]] = exact(price)

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
        return self._tallies[order_id].pending

    def filled(self, order_id: int) -> int:
        return self._tallies[order_id].filled

    def contract_of(self, symbol: str) -> Entity | None:
        return next((x for x in self.state.of("contract") if x["name"].lower() == symbol.lower()), None)

    def _demand(self, order_id: int, holds: bool, what: str) -> None:
        if not holds:
            order, tally = self.order(order_id), self._tallies[order_id]
            under_way = f", {tally.pending['commandType']} under way" if tally.pending else ""
            raise ValueError(
                f"cannot {what} order {order_id}: it is {order['ordStatus']}, {tally.filled} of"
                f" {current_version(self.state, order_id)['orderQty']} filled{under_way}"
            )

    # Commands: told, checked, carried out.

    def new_orders(self, *orders: NewOrder, sender: Sender | None = None) -> list[int]:
        """New commands: all are told before the first is checked, so that orders that name each other know each other.
        Their orders' ids.
        """
        commands = []
        for asked in orders:
            ident = self.state.new_id() if asked.ident is None else asked.ident
            self._tallies[ident] = Tally(by_client=sender is not None)
            if "parentId" in asked.links:
                self._children.setdefault(asked.links["parentId"], []).append(ident)
            order = {
                "id": ident,
                "accountId": asked.account_id,
                "contractId": asked.contract_id,
                "timestamp": self._stamp(),
                "action": asked.action,
                "ordStatus": "PendingNew",
                **asked.links,
                "admin": False,
            }
            told = [self.state.change("order", order)]
            commands.append(self._announce("New", ident, ident, asked.version, asked.command, sender, told))
        for command in commands:
            if self._tallies[command["id"]].pending is not None:  # not ended by another of them meanwhile
                self._check(command)
        return [int(command["id"]) for command in commands]

    def change_order(
        self,
        order_id: int,
        version: Mapping[str, Any],
        command: Mapping[str, Any] | None = None,
        *,
        sender: Sender | None = None,
    ) -> int:
        """A Modify command with the whole new version. Its id, which is the version's too."""
        ident = self.state.new_id()
        self._check(self._announce("Modify", ident, order_id, version, command, sender, []))
        return ident

    def cancel_order(
        self, order_id: int, command: Mapping[str, Any] | None = None, *, sender: Sender | None = None
    ) -> int:
        """A Cancel command. Its id."""
        ident = self.state.new_id()
        self._check(self._announce("Cancel", ident, order_id, None, command, sender, []))
        return ident

    def liquidate(
        self,
        account_id: int,
        contract_id: int,
        command: Mapping[str, Any] | None = None,
        *,
        sender: Sender | None = None,
    ) -> int | None:
        """Cancel what works in a contract and close the position at market: that order's id, None where it is flat."""
        for order in self.state.of("order"):
            mine = (order["accountId"], order["contractId"]) == (account_id, contract_id)
            if mine and not self.is_over(order["id"]) and self.pending(order["id"]) is None:
                self.cancel_order(order["id"], command, sender=sender)
        net = self.books.net(account_id, contract_id)
        if not net:
            return None
        version = {"orderQty": abs(net), "orderType": "Market", "timeInForce": "Day"}
        action = "Sell" if net > 0 else "Buy"
        return self.new_orders(NewOrder(account_id, contract_id, action, version, command or {}), sender=sender)[0]

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
            "timestamp": self._stamp(),
            "commandType": verb,
            "commandStatus": "Pending",
            "senderId": who.user_id,
            "userSessionId": who.session_id,
            **({"isAutomated": False} | dict(fields or {})),
        }
        told.append(self.state.change("command", command))
        if version is not None:
            told.append(self.state.change("orderVersion", {"id": ident, "orderId": order_id, **version}))
        self._publish(told)
        self._tallies[order_id].pending = command
        return command

    def _check(self, command: Entity) -> None:
        """The risk check; what passes is carried out, unless the exchange is paused."""
        order_id, verb = command["orderId"], command["commandType"]
        refusal = self._risk(command)
        if refusal is not None:
            self._refuse(command, "RiskRejected", *refusal)
            return
        command = self._report(command, "RiskPassed")
        if verb != "New" and self.order(order_id)["ordStatus"] != "Suspended":
            self._status(order_id, "PendingReplace" if verb == "Modify" else "PendingCancel")
        if not self.paused:
            self._carry_out(command)

    def _risk(self, command: Entity) -> tuple[str, str] | None:
        """Why the risk check turns a command down."""
        for scripted in self._rejects:
            if scripted[0] == command["commandType"]:
                self._rejects.remove(scripted)
                return scripted[1:]
        if command["commandType"] == "Cancel":
            return None
        order, version = self.order(command["orderId"]), self.state.entities["orderVersion"][command["id"]]
        parent = self.state.entities["order"].get(order.get("parentId", 0))
        if parent is not None and parent["ordStatus"] in TERMINAL and parent["ordStatus"] != "Filled":
            return "ParentRejected", f"Order {parent['id']} is {parent['ordStatus']}"
        if self.max_order_qty is not None and version["orderQty"] > self.max_order_qty:
            return "MaxOrderQtyLimitReached", f"Order quantity is limited to {self.max_order_qty}"
        if self.max_position is not None:
            left = version["orderQty"] - self.filled(order["id"])
            net = self.books.net(order["accountId"], order["contractId"])
            if abs(net + (left if order["action"] == "Buy" else -left)) > self.max_position:
                return "MaxPosLimitReached", f"Position is limited to {self.max_position}"
        return None

    def _carry_out(self, command: Entity) -> None:
        order_id = command["orderId"]
        order = self.order(order_id)
        match command["commandType"]:
            case "New" if self._waits_for_parent(order):
                self._tallies[order_id].pending = None
                self._report(command, "ExecutionSuspended", ordStatus="Suspended")
                self._status(order_id, "Suspended")
            case "New":
                self._tallies[order_id].pending = None
                self._to_market(command)
            case "Modify":
                if self.state.entities["orderVersion"][command["id"]]["orderQty"] <= self.filled(order_id):
                    self._refuse(command, "ExecutionRejected", "TooLate", "So many are filled already")
                    return
                self._tallies[order_id].pending = None
                if order["ordStatus"] == "Suspended":
                    self._report(command, "ExecutionSuspended", ordStatus="Suspended")
                    return
                self._execution(command["id"], order, "Replaced", "Working")
                self._report(command, "AtExecution", ordStatus="Working")
                self._status(order_id, "Working")
            case _:
                self._tallies[order_id].pending = None
                self._execution(command["id"], order, "Canceled", "Canceled")
                self._report(command, "AtExecution", ordStatus="Canceled")
                self._over(order_id, "Canceled")

    def _waits_for_parent(self, order: Entity) -> bool:
        parent = self.state.entities["order"].get(order.get("parentId", 0))
        return parent is not None and parent["ordStatus"] != "Filled"

    def _to_market(self, command: Entity) -> None:
        order_id = command["orderId"]
        self._execution(command["id"], self.order(order_id), "New", "Working")
        self._report(command, "AtExecution", ordStatus="Working")
        self._status(order_id, "Working")
        version = current_version(self.state, order_id)
        policy = self.auto_fill if self._tallies[order_id].by_client else "never"
        if policy == "partial then full" and version["orderQty"] > 1:
            self.fill(order_id, version["orderQty"] // 2)
        if policy != "never":
            self.fill(order_id)
        if version.get("timeInForce") in ("IOC", "FOK") and not self.is_over(order_id):
            self.expire(order_id)

    def _refuse(self, command: Entity, status: str, reason: str, text: str) -> None:
        """A command comes to nothing: a New takes its order with it, any other leaves it as it was."""
        order_id = command["orderId"]
        self._tallies[order_id].pending = None
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

    def _own_price(self, order: Entity, version: Entity) -> Decimal:
        """The price at which an order would be filled."""
        price: Decimal | None = version.get("price", version.get("stopPrice"))
        return self._prices[order["contractId"]] if price is None else price

    def _fill(self, order: Entity, version: Entity, tally: Tally, size: int, price: Decimal) -> int:
        tally.filled += size
        tally.value += size * price
        done = tally.filled == version["orderQty"]
        self._execution(
            version["id"],
            order,
            "Trade",
            "Filled" if done else "Working",
            avgPx=average(tally.value, tally.filled),
            lastQty=size,
            lastPx=price,
        )
        fill = {
            "id": self.state.new_id(),
            "orderId": order["id"],
            "contractId": order["contractId"],
            "timestamp": self._stamp(),
            "tradeDate": TRADE_DATE,
            "action": order["action"],
            "qty": size,
            "price": price,
            "active": True,
            "finallyPaired": 0,
        }
        self._publish([self.state.change("fill", fill)])
        if done:
            self._drop_pending(order["id"])
            self._status(order["id"], "Filled")
        for change in self.books.book(order["accountId"], fill):
            self._publish([change])
        self._cancel_sibling(order)
        if done:
            self._wake_brackets(order["id"])
        return int(fill["id"])

    def _end(self, order_id: int, status: Literal["Canceled", "Expired"], command_id: int) -> None:
        """An order ends without a command for it."""
        self._drop_pending(order_id)
        self._execution(command_id, self.order(order_id), status, status)
        self._over(order_id, status)

    def _over(self, order_id: int, status: str) -> None:
        """An order ends unfilled, and those that hang on it."""
        self._status(order_id, status)
        for other in self._brackets(order_id):
            self._end(other, "Canceled", other)
        if self._oco_cancel == "any end":
            self._cancel_sibling(self.order(order_id))

    def _drop_pending(self, order_id: int) -> None:
        """The command under way comes too late. (A New that is under way ends with its order.)"""
        command, self._tallies[order_id].pending = self._tallies[order_id].pending, None
        if command is not None and command["commandType"] != "New":
            self._report(command, "ExecutionRejected", rejectReason="TooLate", text="The order is done")

    def _cancel_sibling(self, order: Entity) -> None:
        other = self.state.entities["order"].get(order.get("ocoId", 0))
        if other is not None and other["ordStatus"] not in TERMINAL:
            self._end(other["id"], "Canceled", other["id"])

    def _brackets(self, parent_id: int) -> list[int]:
        """The orders that wait for this one."""
        return [x for x in self._children.get(parent_id, ()) if x in self._tallies and not self.is_over(x)]

    def _wake_brackets(self, parent_id: int) -> None:
        for order_id in self._brackets(parent_id):
            if self.order(order_id)["ordStatus"] == "Suspended":  # the first, filled at once, cancels the second
                self._to_market(self.state.entities["command"][order_id])

    # What is told.

    def _status(self, order_id: int, status: str) -> None:
        self._publish([self.state.change("order", self.order(order_id) | {"ordStatus": status})])

    def _report(self, command: Entity, status: str, **fields: Any) -> Entity:
        """A command's report, and the command as it is from then on."""
        report = {
            "id": self.state.new_id(),
            "commandId": command["id"],
            "timestamp": self._stamp(),
            "commandStatus": status,
            **fields,
        }
        self._publish([self.state.change("commandReport", report)])
        after = command | {"commandStatus": status}
        self._publish([self.state.change("command", after)])
        if self._tallies[command["orderId"]].pending is not None:
            self._tallies[command["orderId"]].pending = after
        return after

    def _execution(self, command_id: int, order: Entity, kind: str, status: str, **fields: Any) -> None:
        report = {
            "id": self.state.new_id(),
            "commandId": command_id,
            "name": kind,
            "accountId": order["accountId"],
            "contractId": order["contractId"],
            "timestamp": self._stamp(),
            "tradeDate": TRADE_DATE,
            "orderId": order["id"],
            "execType": kind,
            "ordStatus": status,
            "action": order["action"],
            "cumQty": self.filled(order["id"]),
            **fields,
            "exchangeOrderId": f"X{order['id']}",
        }
        self._publish([self.state.change("executionReport", report)])
