"""Both exchanges told the same, and a client's store that is fed by the events alone: what must hold after any flow."""

import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from brokercert_mock import Settings
from brokercert_mock.tradovate.exchange.commands import Sender
from brokercert_mock.tradovate.exchange.ledger import Ledger, ledger_state
from brokercert_mock.tradovate.exchange.market import Exchange
from brokercert_mock.tradovate.exchange.orders import OrderDesk
from brokercert_mock.tradovate.seed import AMOUNTS, seeded
from brokercert_mock.tradovate.state import Change
from naive_market import FEE, NaiveMarket, NaiveOrder

NOW = "2026-01-05T14:30:00.000Z"
SYMBOLS = ("ESH6", "NQH6")
START = tuple(map(str, AMOUNTS))

# An order's life, written from the entity's states in the notes: what may follow what.
NEXT = {
    None: {"PendingNew"},
    "PendingNew": {"Working", "Suspended", "Rejected", "Canceled", "Expired"},
    "Suspended": {"Working", "Canceled", "Rejected", "Expired"},
    "Working": {"Working", "PendingReplace", "PendingCancel", "Filled", "Canceled", "Rejected", "Expired"},
    "PendingReplace": {"Working", "Filled", "Canceled", "Rejected", "Expired"},
    "PendingCancel": {"Working", "Filled", "Canceled", "Rejected", "Expired"},
}
THROUGH = ("AtExecution", "OnHold", "ExecutionSuspended")
REFUSALS = ("TradingLocked", "LiquidationOnly", "MaxOrderQtyLimitReached", "MaxPosLimitReached")


class Twins:
    """The exchange and the naive one, told the same; and a client's store, fed by the events alone."""

    def __init__(self, rules: Settings | None = None) -> None:
        self.rules = rules or Settings()
        self.state = seeded(random.Random(1), lambda: NOW, NOW)
        self.frames: list[Sequence[Change]] = []
        self.exchange = Exchange(
            self.state,
            lambda: NOW,
            self.hear,
            sender=Sender(self.state.user_id, 0),
            settings=self.rules,
        )
        self.desk = OrderDesk(self.exchange, "Access is denied", lambda: NOW, lambda _: None)
        self.naive = NaiveMarket(self.rules)
        self.store = {kind: dict(entities) for kind, entities in self.state.entities.items()}
        self.lives: dict[int, str] = {}
        self.seen: Counter[tuple[str, int]] = Counter()
        self.deleted: set[int] = set()
        self.arrived: dict[int, int] = {}
        self.fill_or_kill: list[int] = []

    def hear(self, frame: Sequence[Change]) -> None:
        """What a client would do, and what it may rely on."""
        self.frames.append(frame)
        for kind, change, entity, account in frame:
            ident = entity["id"]
            assert (ident in self.store[kind]) == (change != "Created"), f"{kind} {ident} {change}"
            assert account in self.state.accounts or account is None
            if change == "Deleted":
                del self.store[kind][ident]
                continue
            if change == "Created":
                self.seen[kind, ident] += 1
            self.store[kind][ident] = entity
            if kind == "order":
                before = self.lives.get(ident)
                assert entity["ordStatus"] in NEXT[before], f"order {ident}: {before} -> {entity['ordStatus']}"
                self.lives[ident] = entity["ordStatus"]

    # Acts.

    def act(self, name: str, *args: Any) -> None:
        getattr(self, name.replace(" ", "_"))(*args)

    def ask(self, endpoint: str, **body: Any) -> dict[str, Any]:
        answer = self.desk.answer(f"order/{endpoint}", body, Sender(self.state.user_id, 7))
        assert answer is not None and answer[0] == 200
        return dict(answer[1])

    def leg(self, leg: Any, kind: str = "Limit") -> tuple[dict[str, Any], NaiveOrder]:
        number, symbol, side, qty, tick = leg
        account, at = self.state.accounts[number], price(symbol, tick)
        body = {"accountId": account, "symbol": symbol, "action": side, "orderQty": qty, "orderType": kind}
        fields = {"Limit": {"price": float(at)}, "Stop": {"stopPrice": float(at)}}.get(kind, {})
        own = Fraction(at if kind != "Market" else price(symbol, 0))
        return body | fields, NaiveOrder(account, symbol, side, qty, own if kind == "Limit" else None, own)

    def place(self, leg: Any, kind: str, tif: str) -> None:
        body, order = self.leg(leg, kind)
        order.tif, order.due = tif, leg[3]
        due = {"expireTime": minute(leg[3])} if tif == "GTD" else {}
        refused = self.refused(order)
        answer = self.ask("placeorder", **body, timeInForce=tif, **due)
        if self.enter(answer, refused, order) and tif == "FOK":
            self.fill_or_kill.append(answer["orderId"])

    def trade(self, leg: Any) -> None:
        """An order that is filled at once, unless it was turned down or is kept."""
        self.place(leg, "Limit", "Day")  # no rule that would turn it down is set
        ident = list(self.naive.orders)[-1]
        if self.naive.may_fill(ident, leg[3]):
            self.exchange.fill(ident)
            self.naive.fill(ident, leg[3], self.naive.orders[ident].at)

    def oco(self, leg: Any, tick: int) -> None:
        body, first = self.leg(leg)
        other, second = self.leg((*leg[:4], tick))
        refused = self.refused(first, second)
        answer = self.ask("placeoco", **body, other={k: other[k] for k in ("action", "orderType", "price")})
        second.sibling, first.sibling = answer.get("orderId"), answer.get("ocoId")
        self.enter(answer, refused, first, second)

    def oso(self, leg: Any, above: int, below: int) -> None:
        body, parent = self.leg(leg)
        back = "Sell" if leg[2] == "Buy" else "Buy"
        children = [self.leg((*leg[:2], back, leg[3], tick)) for tick in (above, below)]
        cut = [{k: child[k] for k in ("action", "orderType", "price")} for child, _ in children]
        first, second = (order for _, order in children)
        first.asleep = second.asleep = True
        refused = self.refused(parent, first, second)
        answer = self.ask("placeoso", **body, bracket1=cut[0], bracket2=cut[1])
        first.parent = second.parent = answer.get("orderId")
        second.sibling, first.sibling = answer.get("oso1Id"), answer.get("oso2Id")
        self.enter(answer, refused, parent, first, second)

    def refused(self, *orders: NaiveOrder) -> bool:
        """Whether orders must be refused in the answer. Which of them are to be turned down later is marked."""
        for order in orders:
            order.barred = self.naive.is_barred(order)
        return (self.rules.account_checks == "entry" and any(order.barred for order in orders)) or (
            self.rules.limit_checks == "entry" and any(map(self.naive.would_be_too_much, orders))
        )

    def enter(self, answer: dict[str, Any], refused: bool, *orders: NaiveOrder) -> bool:
        """The naive exchange is told of what was placed; False where nothing was."""
        if refused:
            assert answer.get("failureReason") in REFUSALS
            return False
        idents = list(answer.values())
        self.arrived |= {ident: ident for ident in idents}
        self.naive.place(dict(zip(idents, orders, strict=True)))
        return True

    def pick(self, number: int) -> int | None:
        known = [ident for ident in self.naive.orders if ident not in self.deleted]
        return known[number % len(known)] if known else None

    def fill(self, number: int, qty: int, tick: int | None) -> None:
        ident = self.pick(number)
        if ident is None:
            return
        order = self.naive.orders[ident]
        at = None if tick is None else price(order.symbol, tick)
        if self.allowed(self.naive.may_fill(ident, qty), lambda: self.exchange.fill(ident, qty, at)):
            self.naive.fill(ident, qty, order.at if at is None else Fraction(at))

    def fill_rest(self, number: int) -> None:
        ident = self.pick(number)
        if ident is not None:
            self.fill(number, self.naive.orders[ident].qty - self.naive.orders[ident].done, None)

    def modify(self, number: int, qty: int, tick: int, tif: str | None = None) -> None:
        ident = self.pick(number)
        if ident is None:
            return
        order = self.naive.orders[ident]
        at = price(order.symbol, tick)
        more = {"timeInForce": tif} if tif else {}
        too_much = self.naive.may_command(ident) and self.naive.is_too_much(ident, qty)
        answer = self.ask("modifyorder", orderId=ident, orderQty=qty, orderType="Limit", price=float(at), **more)
        if too_much and self.rules.limit_checks == "entry":
            assert answer.get("failureReason") in REFUSALS
        elif self.accepted(ident, answer):
            self.naive.command(ident, ("Modify", qty, Fraction(at), tif))

    def cancel(self, number: int) -> None:
        ident = self.pick(number)
        if ident is not None and self.accepted(ident, self.ask("cancelorder", orderId=ident)):
            self.naive.command(ident, ("Cancel",))

    def accepted(self, ident: int, answer: dict[str, Any]) -> bool:
        if self.naive.may_command(ident):
            self.arrived[ident] = answer["commandId"]
            return True
        if self.rules.command_checks == "entry":
            reason = answer["failureReason"]
        else:
            reports = [x for x in self.state.of("commandReport") if x["commandId"] == answer["commandId"]]
            assert [x["commandStatus"] for x in reports] == ["RiskRejected"]
            reason = reports[0]["rejectReason"]
        assert reason == ("TooLate" if self.naive.orders[ident].over else "AnotherCommandPending")
        return False

    def reject(self, number: int) -> None:
        ident = self.pick(number)
        if ident is not None and self.allowed(self.naive.may_reject(ident), lambda: self.exchange.reject(ident)):
            self.naive.reject(ident)

    def expire(self, number: int) -> None:
        ident = self.pick(number)
        if ident is None:
            return
        if self.allowed(not self.naive.orders[ident].over, lambda: self.exchange.expire(ident)):
            self.naive.expire(ident)

    def delete(self, number: int) -> None:
        ident = self.pick(number)
        if ident is not None:
            self.exchange.delete("order", ident)
            self.naive.delete(ident)
            self.deleted.add(ident)

    def liquidate(self, number: int, symbol: str) -> None:
        account, contract = self.state.accounts[number], self.exchange.contract_of(symbol)
        assert contract is not None
        net, commands = self.naive.net(account, symbol), len(self.state.of("command"))
        answer = self.ask("liquidateposition", accountId=account, contractId=contract["id"], admin=False)
        if not net:
            assert answer["failureReason"] == "UnknownReason" and len(self.state.of("command")) == commands
            return
        for ident in self.naive.to_cancel(account, symbol):
            if self.naive.may_command(ident):
                self.arrived[ident] = self.state.of_order("command", ident)[-1]["id"]
                self.naive.command(ident, ("Cancel",))
        at = Fraction(price(symbol, 0))
        self.enter(answer, False, NaiveOrder(account, symbol, "Sell" if net > 0 else "Buy", abs(net), None, at))

    def limit(self, limits: tuple[int | None, int | None]) -> None:
        """Of an order, and of what is held."""
        most, most_held = limits
        self.exchange.risk.max_order_qty, self.exchange.risk.max_position = most, most_held
        self.naive.most, self.naive.most_held = most, most_held

    def trading(self, number: int, how: str) -> None:
        """An account is locked, or may only get out, or may trade again."""
        account = self.state.accounts[number]
        fields = {"adminAction": "LockTradingImmediately" if how == "locked" else "Normal"}
        self.exchange.change("accountRiskStatus", account, **fields, liquidateOnly=how == "only out")
        self.naive.trading[account] = how

    def auto_fill(self, policy: Any) -> None:
        self.exchange.auto_fill = self.naive.auto = policy

    def pass_time(self, minutes: int) -> None:
        self.exchange.expire_due(minute(minutes))
        self.naive.pass_time(minutes)

    def turn_down(self, verb: Any) -> None:
        self.exchange.reject_next(verb=verb)
        self.naive.turned_down.append(verb)

    def end_day(self) -> None:
        self.exchange.end_day()
        for ident, order in self.naive.orders.items():
            if order.tif == "Day" and not order.over:
                self.naive.expire(ident)

    def pause(self) -> None:
        self.exchange.pause()
        self.naive.paused = True

    def resume(self) -> None:
        self.exchange.resume()
        self.naive.resume()
        for ident in self.naive.waiting_in_order(self.arrived):
            self.naive.carry_on(ident)

    def allowed(self, may: bool, act: Any) -> bool:
        """Do what the naive exchange allows; what it does not is a mistake of the script, and said so."""
        if may:
            act()
            return True
        with pytest.raises(ValueError, match=r"cannot .* order \d+: it is "):
            act()
        return False

    # What must hold.

    def check(self) -> None:
        self.check_agreement(ledger_state(self.state))
        assert self.store == self.state.entities, "a client that heard every event knows all"
        assert set(self.seen.values()) <= {1}
        owners: dict[int, set[str]] = {}
        for kind, ident in self.seen:
            owners.setdefault(ident, set()).add(kind)
        shared = [{"order", "command", "orderVersion"}, {"command", "orderVersion"}, {"fill", "fillFee"}]
        assert all(len(kinds) == 1 or kinds in shared for kinds in owners.values()), "one counter numbers everything"
        signed = Counter[tuple[int, int]]()
        for fill in self.state.of("fill"):
            account = self.naive.orders[fill["orderId"]].account
            signed[account, fill["contractId"]] += fill["qty"] if fill["action"] == "Buy" else -fill["qty"]
        assert {(x["accountId"], x["contractId"]): x["netPos"] for x in self.state.of("position")} == signed
        for ident in self.fill_or_kill:
            if len(self.state.of_order("orderVersion", ident)) == 1:
                assert [x["qty"] for x in self.state.of_order("fill", ident)] in ([], [self.naive.orders[ident].qty])
        for number, account in enumerate(self.state.accounts):
            balance = next(x for x in self.state.of("cashBalance") if x["accountId"] == account)
            mine = [x for x in self.state.of("fill") if self.naive.orders[x["orderId"]].account == account]
            if self.rules.balance_updates == "order":
                mine = [x for x in mine if self.naive.orders[x["orderId"]].over]
            apart = sum(x["qty"] for x in mine) * FEE if self.rules.pnl_fees == "outside" else 0
            assert Fraction(balance["amount"]) == Fraction(START[number]) + Fraction(balance["realizedPnL"]) - apart
        for ident in self.state.entities["order"]:
            self.check_what_a_client_makes_of(ident)

    def check_what_a_client_makes_of(self, ident: int) -> None:
        """The current version as the notes define it, by what was told; and which command its fills hang on."""
        through = {x["id"] for x in self.store["command"].values() if x["commandStatus"] in THROUGH}
        through |= {x["commandId"] for x in self.store["commandReport"].values() if x["commandStatus"] in THROUGH}
        own = [x for x in self.store["command"].values() if x["orderId"] == ident]
        current = max(
            x["id"] for x in own if x["commandType"] == "New" or (x["commandType"] == "Modify" and x["id"] in through)
        )
        assert self.store["orderVersion"][current]["orderQty"] == self.naive.orders[ident].qty
        reports = [x for x in self.store["executionReport"].values() if x["orderId"] == ident]
        hang = [x["commandId"] for x in reports if x["execType"] == "Trade"]
        assert set(hang) <= ({ident} if self.rules.fill_reports == "New command" else {x["id"] for x in own})

    def check_agreement(self, ledger: Ledger) -> None:
        """Every compared field is as the naive exchange has it."""
        contracts = {name: self.exchange.contract_of(name) for name in SYMBOLS}
        numbers = {name: contract["id"] for name, contract in contracts.items() if contract}
        assert ledger["order"] == {
            str(ident): {
                "accountId": order.account,
                "contractId": numbers[order.symbol],
                "action": order.action,
                "ordStatus": order.status,
                "orderQty": order.qty,
                "price": None if order.price is None else text(order.price),
            }
            for ident, order in self.naive.orders.items()
            if ident not in self.deleted
        }
        assert [ledger["fill"][key] for key in sorted(ledger["fill"], key=int)] == [
            {"orderId": ident, "qty": qty, "price": text(at)} for ident, _, _, _, qty, at in self.naive.fills
        ]
        expected = []
        for (account, symbol), held in self.naive.held().items():
            net = len(held) if held and held[0] > 0 else -len(held)
            flat = "0" if self.rules.flat_price == "zero" else None
            at = text(abs(sum(held, Fraction(0))) / len(held)) if held else flat
            expected.append({"accountId": account, "contractId": numbers[symbol], "netPos": net, "netPrice": at})
        assert list(ledger["position"].values()) == expected
        earned = self.naive.earned()
        for start, account in zip(START, self.state.accounts, strict=True):
            balance = next(x for x in self.state.of("cashBalance") if x["accountId"] == account)
            gains, fees = earned.get(account, (Fraction(0), Fraction(0)))
            assert ledger["cashBalance"][str(balance["id"])]["amount"] == text(Fraction(start) + gains - fees)
            inside = self.rules.pnl_fees == "inside"
            assert Fraction(balance["realizedPnL"]) == (gains - fees if inside else gains)
        assert [int(key) for key in ledger["account"]] == self.state.accounts


def price(symbol: str, tick: int) -> Decimal:
    return {"ESH6": Decimal(5000), "NQH6": Decimal(17500)}[symbol] + tick * Decimal("0.25")


def minute(number: int) -> str:
    return f"2026-01-05T14:3{number}:00.000Z"


def text(value: Fraction) -> str:
    """A number as the ledger writes it, rounded to eight places."""
    whole, rest = divmod(round(abs(value) * 10**8), 10**8)
    digits = f"{rest:08}".rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if digits else ''}{digits}"
