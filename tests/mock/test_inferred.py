"""What no document says of the exchange is a setting: each value does what it says, and the page names them all."""

import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from brokercert_mock import Settings
from mock_bench import Bench, running
from order_bench import PLACED, ask, frames, order, synced
from test_ledger import INFERRED

pytestmark = pytest.mark.asyncio
LEG = {"action": "Sell", "orderType": "Limit", "price": 5010}
PAGE = (Path(__file__).parents[2] / "docs/rules.md").read_text()


def statuses(bench: Bench, *orders: int) -> list[str]:
    return [bench.broker.exchange.order(ident)["ordStatus"] for ident in orders]


def reasons(bench: Bench) -> list[str]:
    return [x["rejectReason"] for x in bench.broker.db.of("commandReport") if "rejectReason" in x]


@pytest.mark.parametrize("name", INFERRED)
async def test_the_page_names_each_setting_and_its_values_the_default_first(name: str) -> None:
    kind = get_type_hints(Settings)[name]
    values = list(map(repr, (True, False) if kind is bool else get_args(kind)))
    values.sort(key=lambda x: x != repr(getattr(Settings(), name)))
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
    assert row.split(" | ")[1] == ", ".join(f"`{x}`".replace("'", '"') for x in values)


@pytest.mark.parametrize(
    ("wakes", "after_part", "after_cancel"),
    [("full fill", "Suspended", "Canceled"), ("first fill", "Working", "Working")],
)
async def test_when_brackets_wake(wakes: Any, after_part: str, after_cancel: str) -> None:
    async with running(Settings(oso_wakes=wakes)) as bench, bench.authorized() as ws:
        oso = await ask(ws, 2, "order/placeoso", order(bench, bracket1=LEG, bracket2=LEG))
        parent, *brackets = oso["orderId"], oso["oso1Id"], oso["oso2Id"]
        bench.broker.exchange.fill(parent, 1)
        assert statuses(bench, *brackets) == [after_part] * 2
        bench.broker.exchange.cancel(parent)
        assert statuses(bench, *brackets) == [after_cancel] * 2, "what is awake guards what is filled"


@pytest.mark.parametrize("ends", ["Expired", "Canceled"])
@pytest.mark.parametrize("tif", ["IOC", "FOK"])
async def test_how_what_may_not_wait_ends(ends: Any, tif: str) -> None:
    async with running(Settings(unfilled_ends=ends)) as bench, bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", order(bench, timeInForce=tif)))["orderId"]
        assert statuses(bench, placed) == [ends]
        assert bench.broker.db.of("executionReport")[-1]["execType"] == ends
        resting = bench.broker.exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
        bench.broker.exchange.expire(resting)
        assert statuses(bench, resting) == ["Expired"], "one whose time is over expires whatever the setting"


@pytest.mark.parametrize(
    ("told_by", "missing"),
    [
        ("report and command", []),
        ("report", ["command Updated AtExecution"]),
        ("command", ["commandReport Created AtExecution"]),
    ],
)
async def test_what_tells_that_a_command_came_through(told_by: Any, missing: list[str]) -> None:
    async with running(Settings(at_execution=told_by)) as bench, bench.authorized() as ws:
        await synced(bench, ws)
        placed = (await ask(ws, 2, "order/placeorder", order(bench)))["orderId"]
        assert await frames(ws, "order Updated Working") == [x for x in PLACED if x[0] not in missing]
        change = {"orderId": placed, "orderQty": 3, "orderType": "Limit", "price": 5001}
        await ask(ws, 3, "order/modifyorder", change)
        assert bench.broker.ledger_state()["order"][str(placed)]["orderQty"] == 3
        command = bench.broker.db.of("command")[-1]
        assert command["commandStatus"] == ("RiskPassed" if told_by == "report" else "AtExecution")


@pytest.mark.parametrize("where", ["entry", "risk"])
async def test_where_an_account_that_may_not_trade_is_found_out(where: Any) -> None:
    async with running(Settings(account_checks=where)) as bench, bench.authorized() as ws:
        locked = bench.broker.credentials.accounts[0]
        bench.broker.exchange.change("accountRiskStatus", locked, adminAction="LockTradingImmediately")
        answer = await ask(ws, 2, "order/placeorder", order(bench))
        if where == "entry":
            assert answer["failureReason"] == "TradingLocked" and not reasons(bench)
        else:
            assert statuses(bench, answer["orderId"]) == ["Rejected"] and reasons(bench) == ["TradingLocked"]


@pytest.mark.parametrize("where", ["entry", "risk"])
async def test_where_a_command_that_an_order_cannot_take_is_turned_down(where: Any) -> None:
    async with running(Settings(command_checks=where)) as bench, bench.authorized() as ws:
        exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]
        done, busy = (exchange.place(account, "ESH6", "Buy", 2, price=5000) for _ in range(2))
        exchange.fill(done)
        exchange.pause()
        change = {"orderId": busy, "orderQty": 3, "orderType": "Limit", "price": 5001}
        first = (await ask(ws, 2, "order/modifyorder", change))["commandId"]
        late = await ask(ws, 3, "order/cancelorder", {"orderId": done})
        second = await ask(ws, 4, "order/cancelorder", {"orderId": busy})
        told = ["TooLate", "AnotherCommandPending"]
        if where == "entry":
            assert [late["failureReason"], second["failureReason"]] == told
        else:
            assert reasons(bench) == told and "commandId" in late and "commandId" in second
        under_way = exchange.pending(busy)
        assert under_way is not None and under_way["id"] == first
        assert statuses(bench, done, busy) == ["Filled", "PendingReplace"]
        exchange.resume()
        assert exchange.left(busy) == 3 and statuses(bench, busy) == ["Working"]


@pytest.mark.parametrize("where", ["entry", "risk"])
async def test_where_a_limit_is_asked(where: Any) -> None:
    limits = Settings(limit_checks=where, max_order_qty=3, max_position=3, snapshot_orders=0)
    async with running(limits) as bench, bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", order(bench, orderQty=2)))["orderId"]
        change = {"orderId": placed, "orderQty": 4, "orderType": "Limit", "price": 5001}
        answers = [
            await ask(ws, 3, "order/placeorder", order(bench, orderQty=4)),
            await ask(ws, 4, "order/placeorder", order(bench, orderQty=2)),
            await ask(ws, 5, "order/modifyorder", change),
        ]
        broken = ["MaxOrderQtyLimitReached", "MaxPosLimitReached", "MaxOrderQtyLimitReached"]
        at_entry = [x.get("failureReason") for x in answers]
        assert (at_entry, reasons(bench)) == ((broken, []) if where == "entry" else ([None] * 3, broken))
        assert bench.broker.exchange.left(placed) == 2


@pytest.mark.parametrize("keeps", [True, False])
async def test_what_a_modification_keeps(keeps: bool) -> None:
    async with running(Settings(modify_keeps=keeps)) as bench, bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", order(bench, timeInForce="GTC")))["orderId"]
        change = {"orderId": placed, "orderQty": 3, "orderType": "Limit"}
        answer = await ask(ws, 3, "order/modifyorder", change)
        assert ("commandId" in answer) == keeps
        await ask(ws, 4, "order/modifyorder", change | {"price": 5001})
        version = bench.broker.db.of("orderVersion")[-1]
        assert version["timeInForce"] == ("GTC" if keeps else "Day")


@pytest.mark.parametrize("hangs", ["current command", "New command"])
async def test_which_command_a_fills_report_hangs_on(hangs: Any) -> None:
    async with running(Settings(fill_reports=hangs)) as bench:
        exchange = bench.broker.exchange
        placed = exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 2, price=5000)
        changed = exchange.modify(placed, orderQty=3)
        exchange.fill(placed)
        report = next(x for x in reversed(bench.broker.db.of("executionReport")) if x["execType"] == "Trade")
        assert report["commandId"] == (changed if hangs == "current command" else placed)


def round_trip(bench: Bench) -> tuple[Any, Any]:
    """Bought and sold again, a point higher: the position and the balance then."""
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]
    exchange.fill(exchange.place(account, "ESH6", "Buy", 1, price=5000))
    exchange.fill(exchange.place(account, "ESH6", "Sell", 1, price=5001))
    contract = exchange.contract_of("ESH6")
    assert contract is not None
    balance = next(x for x in bench.broker.db.of("cashBalance") if x["accountId"] == account)
    return exchange.books.position(account, contract["id"]), balance


@pytest.mark.parametrize(("price", "told"), [("zero", "0"), ("none", None)])
async def test_the_price_of_a_flat_position(price: Any, told: str | None) -> None:
    async with running(Settings(flat_price=price, snapshot_orders=0)) as bench:
        position, _ = round_trip(bench)
        assert ("netPrice" in position) == (price == "zero")
        assert bench.broker.ledger_state()["position"][str(position["id"])]["netPrice"] == told


@pytest.mark.parametrize(("fees", "pnl"), [("outside", "50"), ("inside", "46.12")])
async def test_whether_fees_are_part_of_the_realized_pnl(fees: Any, pnl: str) -> None:
    async with running(Settings(pnl_fees=fees, snapshot_orders=0)) as bench:
        _, balance = round_trip(bench)
        assert balance["realizedPnL"] == Decimal(pnl), "a point of ES is 50; a contract costs 1.94, bought or sold"
        assert balance["amount"] == Decimal("50000.50") + Decimal("46.12")


@pytest.mark.parametrize(("when", "counts"), [("fill", (1, 1, 0)), ("order", (0, 0, 1))])
@pytest.mark.parametrize("end", ["cancel", "delete"])
async def test_when_a_balance_is_updated(when: Any, counts: tuple[int, ...], end: str) -> None:
    async with running(Settings(balance_updates=when, snapshot_orders=0)) as bench, bench.authorized() as ws:
        await synced(bench, ws)
        exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]
        placed = exchange.place(account, "ESH6", "Buy", 3, price=5000)
        acts = [lambda: exchange.fill(placed, 1), lambda: exchange.fill(placed, 1)]
        acts.append(lambda: exchange.cancel(placed) if end == "cancel" else exchange.delete("order", placed))
        balances = [bench.broker.ledger_state()["cashBalance"]]
        for act in acts:
            act()
            balances.append(bench.broker.ledger_state()["cashBalance"])
        changed = [int(before != after) for before, after in itertools.pairwise(balances)]
        assert tuple(changed) == counts
        last = next(x for x in bench.broker.db.of("cashBalance") if x["accountId"] == account)
        assert last["amount"] == Decimal("50000.50") - 2 * Decimal("1.94")
        done = exchange.place(account, "ESH6", "Sell", 2, price=5000)
        exchange.fill(done, 1)
        exchange.fill(done)
        last = next(x for x in bench.broker.db.of("cashBalance") if x["accountId"] == account)
        assert last["amount"] == Decimal("50000.50") - 4 * Decimal("1.94"), "filled whole: settled too"
