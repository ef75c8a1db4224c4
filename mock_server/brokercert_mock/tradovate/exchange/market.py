"""The exchange as a scenario speaks to it: what happens to orders, said in one line each.

    ident = broker.exchange.place(account_id, "ESH6", "Buy", 2, price=5000.25)   # the user's, from elsewhere
    broker.exchange.fill(ident, 1); broker.exchange.fill(ident)                   # one, then the rest
    broker.exchange.cancel(ident)
    broker.exchange.reject_next("MaxPosLimitReached", "Position limit of 5 reached")

All events of a line have gone out when it returns. What is asked of an order that is not in the state for it is a
mistake of the script: ValueError. Prices are numbers or decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from brokercert_mock.tradovate.exchange.commands import NewOrder, Sender, Tally
from brokercert_mock.tradovate.exchange.ledger import current_version, exact
from brokercert_mock.tradovate.exchange.orderlife import OrderLife
from brokercert_mock.tradovate.exchange.risk import Verb
from brokercert_mock.tradovate.state import Entity

Action = Literal["Buy", "Sell"]
AT_MARKET = ("Working", "PendingReplace", "PendingCancel")  # in these an order can be filled
PRICE_FIELDS = ("price", "stopPrice", "limitIfTouchedPrice", "pegDifference")
KEPT = ("order", "orderVersion", "command", "fill", "position", "cashBalance")  # what the exchange itself changes


class Exchange(OrderLife):
    """The orders of one broker, and what a scenario makes of them."""

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
        parent: int | None = None,
    ) -> int:
        """An order of the user's own, from elsewhere. Its id. With a `parent` it sleeps until that order is filled."""
        contract = self._contract(symbol)
        if account_id not in self.state.accounts:
            raise ValueError(f"no account {account_id}; expected one of {self.state.accounts}")
        version: dict[str, Any] = {"orderQty": qty, "orderType": order_type}
        prices = {"price": price, "stopPrice": stop_price}
        version |= {name: exact(value) for name, value in prices.items() if value is not None}
        version["timeInForce"] = time_in_force
        links = {} if parent is None else {"parentId": parent}
        return self.new_orders(NewOrder(account_id, contract["id"], action, version, links=links))[0]

    def place_spread(self, account_id: int, action: Action, qty: int, price: float | Decimal) -> int:
        """An order in a spread, which has no contract of its own: a `spreadDefinitionId` stands in that place. It works
        at once. Its id.
        """
        ident = self.state.new_id()
        order = {
            "id": ident,
            "accountId": account_id,
            "spreadDefinitionId": self.state.new_id(),
            "timestamp": self.stamp(),
            "action": action,
            "ordStatus": "Working",
            "admin": False,
        }
        self.tallies[ident] = Tally()
        version = {"orderQty": qty, "orderType": "Limit", "price": exact(price)}
        told = [self.state.change("order", order)]
        command = self._announce("New", ident, ident, version, None, None, told)
        self.tallies[ident].pending = None
        self._report(command, "AtExecution", ordStatus="Working")
        return ident

    def declare(self, order_id: int, status: str) -> None:
        """The order has this status, and nothing says why: `Completed`, `Unknown`, ..."""
        self.drop_pending(order_id)
        self._status(order_id, status)

    def pay(self, account_id: int, amount: Decimal) -> None:
        """Cash is paid in, or out where it is below 0: the balance moves, and no order has to do with it."""
        self.publish([self.books.pay(account_id, amount)])

    def tell_of(self, command_id: int, status: str) -> None:
        """A command has this status, by its report and by itself."""
        self._report(self.state.entities["command"][command_id], status)

    def drop(self, order_id: int) -> None:
        """The command for it is over, as its last status has it, and nothing more is told of it."""
        self.tallies[order_id].pending = None

    def list_contract(self, symbol: str, like: str, price: float | Decimal) -> int:
        """A contract is listed anew, of the same product as another one; where its market stands. Its id."""
        model = self._contract(like)
        ident = self.state.new_id()
        self.prices[ident] = exact(price)
        self.publish([self.state.change("contract", model | {"id": ident, "name": symbol, "timestamp": self.stamp()})])
        return ident

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

    def liquidate(
        self,
        account_id: int,
        contract_id: int,
        command: Mapping[str, Any] | None = None,
        *,
        sender: Sender | None = None,
    ) -> int | None:
        """Cancel what works in a contract and close the position at market: that order's id. None where it is flat:
        a refusal, so that nothing is cancelled either.
        """
        net = self.books.net(account_id, contract_id)
        if not net:
            return None
        for order in self.state.of("order"):
            mine = (order["accountId"], order.get("contractId")) == (account_id, contract_id)
            if mine and not self.is_over(order["id"]) and self.pending(order["id"]) is None:
                self.cancel_order(order["id"], command, sender=sender)
        version = {"orderQty": abs(net), "orderType": "Market", "timeInForce": "Day"}
        action = "Sell" if net > 0 else "Buy"
        return self.new_orders(NewOrder(account_id, contract_id, action, version, command or {}), sender=sender)[0]

    def fill(self, order_id: int, qty: int | None = None, price: float | Decimal | None = None) -> int:
        """A fill of so many (None: all that is left), at a price (None: the order's own, or the market's). Its id."""
        order, left = self.order(order_id), self.left(order_id)
        size = left if qty is None else qty
        self._demand(order_id, order["ordStatus"] in AT_MARKET and 0 < size <= left, f"fill {size} of")
        return self.enter_fill(order_id, size, None if price is None else exact(price))

    def reject(self, order_id: int, reason: str = "UnknownReason", text: str = "Rejected by the exchange") -> None:
        """The exchange turns an order down that it had, or that is still pending. Not one that is partly filled."""
        self._demand(order_id, not self.is_over(order_id) and not self.tallies[order_id].filled, "reject")
        command = self.state.entities["command"][order_id]
        self.drop_pending(order_id)
        self.refuse(command, "ExecutionRejected", reason, text)

    def expire(self, order_id: int) -> None:
        """The order's time is over."""
        self._demand(order_id, not self.is_over(order_id), "expire")
        self.end(order_id, "Expired", current_version(self.state, order_id)["id"])

    def expire_due(self, now: str) -> None:
        """Every order whose own time (`GTD`, `expireTime`) is over at `now`, as the API writes times."""
        for order in self.state.of("order"):
            if self.is_over(order["id"]):
                continue
            version = current_version(self.state, order["id"])
            due = version.get("expireTime")
            if version["timeInForce"] == "GTD" and due is not None and due <= now:
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
        self.risk.reject_next(verb, reason, text)

    def pause(self) -> None:
        """From here on commands are taken and stay pending: PendingNew, PendingReplace, PendingCancel."""
        self.paused = True

    def resume(self) -> None:
        """Commands come through again, first of all those that are pending, in the order in which they came."""
        self.paused = False
        commands = [tally.pending for tally in self.tallies.values() if tally.pending is not None]
        for command in sorted(commands, key=lambda x: int(x["id"])):
            tally = self.tallies[command["orderId"]]
            if tally.pending is not None and tally.pending["id"] == command["id"]:
                self.carry_out(command)

    def delete(self, kind: str, ident: int) -> None:
        """Take something away for good: an order, live or not (its brackets that still wait are cancelled first, as
        when it ends: nothing could wake them any more); a fill (what came of it stays in the books); a flat position;
        an account without live orders and positions, with its balance, risk status and margin.
        """
        if kind not in ("order", "fill", "position", "account"):
            raise ValueError(f"delete {kind} {ident}: expected an order, fill, position or account")
        if ident not in self.state.entities[kind]:
            raise ValueError(f"delete {kind} {ident}: there is none")
        if kind == "position" and self.state.entities["position"][ident]["netPos"]:
            raise ValueError(f"delete position {ident}: it is not flat; close it first")
        if kind == "account":
            self._close_account(ident)
        if kind == "order" and not self.is_over(ident):
            self.end_what_hangs_on(ident, "Canceled")
        self.publish([self.state.remove(kind, ident)])
        if kind == "order":
            del self.tallies[ident]

    def _close_account(self, ident: int) -> None:
        open_orders = [x["id"] for x in self.state.of("order") if x["accountId"] == ident and not self.is_over(x["id"])]
        held = [x["id"] for x in self.state.of("position") if x["accountId"] == ident and x["netPos"]]
        if open_orders or held:
            raise ValueError(f"delete account {ident}: end its orders {open_orders} and positions {held} first")
        self.state.accounts.remove(ident)
        balances = [x["id"] for x in self.state.of("cashBalance") if x["accountId"] == ident]
        for kind, idents in (("cashBalance", balances), ("accountRiskStatus", [ident]), ("marginSnapshot", [ident])):
            for one in idents:
                self.publish([self.state.remove(kind, one)])

    def change(self, kind: str, ident: int, **fields: Any) -> None:
        """Other values of an entity that the exchange does not keep itself: `account`, `contract`, `user`, ..."""
        if kind in KEPT:
            raise ValueError(f"change {kind} {ident}: the exchange keeps it; place, modify, fill or cancel instead")
        self.publish([self.state.change(kind, self.state.entities[kind][ident] | fields)])

    def price_of(self, symbol: str) -> Decimal:
        """Where the market stands."""
        return self.prices[self._contract(symbol)["id"]]

    def _contract(self, symbol: str) -> Entity:
        contract = self.contract_of(symbol)
        if contract is None:
            known = ", ".join(x["name"] for x in self.state.of("contract"))
            raise ValueError(f"no contract {symbol}; expected one of {known}")
        return contract

    def _demand(self, order_id: int, holds: bool, what: str) -> None:
        if not holds:
            order, tally = self.order(order_id), self.tallies[order_id]
            under_way = f", {tally.pending['commandType']} under way" if tally.pending else ""
            raise ValueError(
                f"cannot {what} order {order_id}: it is {order['ordStatus']}, {tally.filled} of"
                f" {current_version(self.state, order_id)['orderQty']} filled{under_way}"
            )
