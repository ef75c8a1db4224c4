"""The Tradovate mock broker by hand: its orders, fills, positions and cash as tables, and what may be done to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokercert_mock.port.panel import (
    Act,
    Action,
    ActionError,
    Field,
    Row,
    Table,
    connection_actions,
    rule_actions,
    silence_of,
    table,
    texts,
)
from brokercert_mock.tradovate.exchange.commands import TERMINAL
from brokercert_mock.tradovate.exchange.ledger import average, current_version
from brokercert_mock.tradovate.exchange.market import AT_MARKET
from brokercert_mock.tradovate.exchange.orders import ORDER_TYPES
from brokercert_mock.tradovate.wire import HEARTBEAT

if TYPE_CHECKING:
    from brokercert_mock.tradovate.broker import TradovateBroker
    from brokercert_mock.tradovate.state import Entity

PRICED = ("Limit", "Market", "Stop")  # of the order types, those that can be placed by hand here
NEXT = ("ticket", "captcha", "refuse", "429", "503", "no answer", "answer twice")


class TradovatePanel:
    """What a developer sees of a broker, and their hands on it."""

    title = "Tradovate mock broker"
    beats: tuple[str, ...] = (HEARTBEAT, "[]")

    def __init__(self, broker: TradovateBroker) -> None:
        self.broker = broker
        self._actions = (
            *self._order_actions(),
            *connection_actions(broker.history),
            *self._broker_actions(),
            *rule_actions(broker.on_upgrade, broker.on_events, "event"),
        )

    # What it shows.

    def stage(self, conn: int) -> str:
        """authorized, synced; nothing for a connection that has come to neither."""
        connection = self.broker.history.get(conn)
        if connection is None:
            return ""
        stage = "synced" if connection.synced_at is not None else "authorized" if connection.authorized_at else ""
        return ", ".join(x for x in (stage, silence_of(connection)) if x)

    def tables(self) -> Sequence[Table]:
        state = self.broker.db
        orders = "Order,Status,Side,Qty,Filled,Contract,Type,Price,Average,Account,Pending".split(",")
        fills = "Fill,Order,Contract,Side,Qty,Price,Time".split(",")
        positions = "Position,Contract,Net,Price,Bought,Sold,Account".split(",")
        return (
            table("orders", "Orders", orders, state.of("order"), self._order, "Price, Qty, Filled, Average"),
            table("fills", "Fills", fills, state.of("fill"), self._fill, "Qty, Price"),
            table(
                "positions", "Positions", positions, state.of("position"), self._position, "Net, Price, Bought, Sold"
            ),
            table("cash", "Cash", ("Account", "Name", "Amount"), state.of("cashBalance"), self._cash, "Amount"),
        )

    def actions(self) -> Sequence[Action]:
        return self._actions

    def _order(self, order: Entity) -> Row:
        exchange, ident = self.broker.exchange, order["id"]
        version = current_version(self.broker.db, ident)
        fills = self.broker.db.of_order("fill", ident)
        filled = exchange.filled(ident)
        value = sum((x["qty"] * x["price"] for x in fills), Decimal(0))
        pending = exchange.pending(ident)
        status = order["ordStatus"]
        price = version.get("price", version.get("stopPrice"))
        can = []
        if status in AT_MARKET:
            can.append("fill")
        if status not in TERMINAL:
            can += ["cancel"] if pending is None else []
            can += ["reject"] if not filled else []
            can.append("expire")
        cells = (
            ident,
            status,
            order["action"],
            version["orderQty"],
            filled,
            self._contract(order.get("contractId", 0)),
            version["orderType"],
            price,
            average(value, filled) if filled and fills else None,
            order["accountId"],
            pending["commandType"] if pending else None,
        )
        return Row(str(ident), texts(*cells), status in TERMINAL, tuple(can))

    def _fill(self, fill: Entity) -> Row:
        where = self._contract(fill["contractId"])
        cells = (fill["id"], fill["orderId"], where, fill["action"], fill["qty"], fill["price"], fill["timestamp"])
        return Row(str(fill["id"]), texts(*cells))

    def _position(self, position: Entity) -> Row:
        cells = (
            position["id"],
            self._contract(position["contractId"]),
            position["netPos"],
            position.get("netPrice"),
            position.get("bought"),
            position.get("sold"),
            position["accountId"],
        )
        return Row(str(position["id"]), texts(*cells), position["netPos"] == 0)

    def _cash(self, balance: Entity) -> Row:
        account = self.broker.db.entities["account"][balance["accountId"]]
        return Row(str(balance["id"]), texts(account["id"], account["name"], balance["amount"]))

    def _contract(self, ident: int) -> str:
        contract = self.broker.db.entities["contract"].get(ident)
        return str(contract["name"]) if contract else str(ident)

    # What can be done.

    def _order_actions(self) -> tuple[Action, ...]:
        exchange = self.broker.exchange

        def fill(target: str, values: Mapping[str, str]) -> str:
            ident = self._order_id(target)
            qty, price = values["qty"], values["price"]
            exchange.fill(ident, int(qty) if qty != "0" else None, Decimal(price) if price != "0" else None)
            return f"order {ident}: {'the rest' if qty == '0' else qty} filled"

        def plain(act: Callable[[int], Any], said: str) -> Act:
            def run(target: str, _: Mapping[str, str]) -> str:
                ident = self._order_id(target)
                act(ident)
                return f"order {ident}: {said}"

            return run

        quantity = Field("qty", "Qty (0: the rest)", "whole number", "0")
        at = Field("price", "Price (0: the order's)", "number", "0")
        return (
            Action("fill", "Fill", "orders", fill, (quantity, at)),
            Action("cancel", "Cancel", "orders", plain(exchange.cancel, "cancelled by the user, from elsewhere")),
            Action("reject", "Reject", "orders", plain(exchange.reject, "turned down by the exchange")),
            Action("expire", "Expire", "orders", plain(exchange.expire, "expired")),
        )

    def _order_id(self, target: str) -> int:
        ident = next((ident for ident in self.broker.db.entities["order"] if str(ident) == target), None)
        if ident is None:
            raise ActionError(f"order {target}: there is none")
        return ident

    def _broker_actions(self) -> tuple[Action, ...]:
        accounts = tuple(map(str, self.broker.db.accounts))
        symbols = tuple(x["name"] for x in self.broker.db.of("contract"))
        place = (
            Field("account", "Account", "choice", accounts[0], accounts),
            Field("symbol", "Contract", "choice", symbols[0], symbols),
            Field("side", "Side", "choice", "Buy", ("Buy", "Sell")),
            Field("qty", "Qty", "whole number", "1"),
            Field("type", "Type", "choice", "Limit", tuple(x for x in ORDER_TYPES if x in PRICED)),
            Field("price", "Price (0: the market's)", "number", "0"),
        )
        following = (
            Field("endpoint", "Endpoint", "text", "user/syncrequest"),
            Field("what", "Is answered with", "choice", "ticket", NEXT),
            Field("seconds", "p-time, s", "number", "3"),
        )
        beats = (Field("mode", "Heartbeats", "choice", "off", ("off", "auto", "always")),)
        return (
            Action("place", "Place an order", "broker", self._place, place, "The user's own, from elsewhere"),
            Action("next", "Script the next request", "broker", self._next, following, "Of one endpoint, once"),
            Action("beats", "Set heartbeats", "broker", self._beats, beats, "The broker's own, on all connections"),
            Action(
                "shutdown", "Shut down", "broker", self._shutdown, help="A shutdown event to every socket, and 1001"
            ),
            Action("expire-tokens", "Expire all tokens", "broker", self._expire, help="Those that live now"),
        )

    def _place(self, _: str, values: Mapping[str, str]) -> str:
        qty = int(values["qty"])
        if not qty:
            raise ActionError("qty was 0; expected at least 1")
        kind, symbol = values["type"], values["symbol"]
        price = Decimal(values["price"]) or self.broker.exchange.price_of(symbol)
        ident = self.broker.exchange.place(
            int(values["account"]),
            symbol,
            "Buy" if values["side"] == "Buy" else "Sell",
            qty,
            kind,
            price=price if kind == "Limit" else None,
            stop_price=price if kind == "Stop" else None,
        )
        return f"order {ident} placed: {values['side']} {qty} {symbol}"

    def _next(self, _: str, values: Mapping[str, str]) -> str:
        endpoint, what = values["endpoint"], values["what"]
        rule = self.broker.on(endpoint, times=1)
        match what:
            case "ticket" | "captcha":
                seconds = float(values["seconds"])
                if not 0 < seconds <= 3600:
                    raise ActionError(f"seconds was {values['seconds']}; expected above 0, up to 3600")
                rule.ticket(seconds, captcha=True if what == "captcha" else None)
            case "refuse":
                rule.refuse(401, self.broker.settings.denied_text)
            case "no answer":
                rule.never_answer()
            case "answer twice":
                rule.answer_twice()
            case _:
                rule.status(int(what))
        return f"the next {endpoint}: {what}"

    def _beats(self, _: str, values: Mapping[str, str]) -> str:
        match values["mode"]:
            case "off":
                self.broker.heartbeats("off")
            case "always":
                self.broker.heartbeats("always")
            case _:
                self.broker.heartbeats("auto")
        return f"heartbeats: {values['mode']}"

    def _shutdown(self, _: str, __: Mapping[str, str]) -> str:
        told = [conn for conn in self.broker.connections if conn.is_open]
        for conn in told:
            conn.send_event("shutdown", {"reasonCode": "Maintenance"})
            conn.close(1001, "Shutdown")
        return f"shutdown told to {len(told)} connection(s)"

    def _expire(self, _: str, __: Mapping[str, str]) -> str:
        count = self.broker.tokens.expire_all()
        return f"{count} token(s) expired"
