"""The order endpoints: what is wrong with a request, what is refused, what an order meets, over socket and REST."""

import datetime
import json
from typing import Any

import pytest
from brokercert.trace import records as r
from brokercert_mock import Settings
from mock_bench import Bench, messages, reply, running
from order_bench import PLACED, ask, order, synced, told
from test_takes_correct_clients import rest

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("endpoint", "change", "constraint"),
    [
        ("placeorder", {"accountId": None}, "required"),
        ("placeorder", {"action": None}, "required"),
        ("placeorder", {"symbol": None}, "required"),
        ("placeorder", {"orderQty": None}, "required"),
        ("placeorder", {"orderType": None}, "required"),
        ("placeorder", {"price": None}, "required"),
        ("placeorder", {"orderType": "Stop"}, "required"),
        ("placeorder", {"action": "buy"}, "enum"),
        ("placeorder", {"orderType": ["Limit"]}, "enum"),
        ("placeorder", {"timeInForce": "Forever"}, "enum"),
        ("placeorder", {"orderQty": 0}, "min"),
        ("placeorder", {"orderQty": 1.5}, "type"),
        ("placeorder", {"orderQty": True}, "type"),
        ("placeorder", {"accountId": "DEMO"}, "type"),
        ("placeorder", {"price": "5000"}, "type"),
        ("placeorder", {"clOrdId": "x" * 65}, "maxLength"),
        ("placeorder", {"timeInForce": "GTD"}, "format"),
        ("placeorder", {"timeInForce": "GTD", "expireTime": "2020-01-01T00:00:00Z"}, "min"),
        ("placeoco", {}, "required"),
        ("placeoco", {"other": []}, "type"),
        ("placeoso", {"bracket1": {"action": "Sell"}}, "required"),
        ("modifyorder", {}, "required"),
        ("cancelorder", {}, "required"),
        ("liquidateposition", {"contractId": 1}, "required"),
    ],
)
async def test_what_is_missing_or_wrong_is_a_violation(
    bench: Bench, endpoint: str, change: dict[str, Any], constraint: str
) -> None:
    async with bench.authorized() as ws:
        before = bench.broker.state()
        answer = await ask(ws, 2, f"order/{endpoint}", order(bench, **change))
    violation = answer["violations"][0]
    assert set(violation) == {"constraint", "value", "description"} and violation["constraint"] == constraint
    assert bench.broker.state() == before, "what is wrong changes nothing"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accountId": 1}, "UnknownReason"),
        ({"accountSpec": "DEMO1"}, "UnknownReason"),
        ({"symbol": "ESZ9"}, "InvalidContract"),
        ({"price": 5000.1}, "InvalidPrice"),
        ({"price": 1e300}, "InvalidPrice"),
        ({"orderQty": 10**12}, "MaxOrderQtyLimitReached"),
    ],
)
async def test_a_refusal_at_entry_is_a_200_with_its_reason(bench: Bench, change: dict[str, Any], reason: str) -> None:
    async with bench.authorized() as ws:
        before = bench.broker.state()
        answer = await ask(ws, 2, "order/placeorder", order(bench, **change))
        assert set(answer) == {"failureReason", "failureText"} and answer["failureReason"] == reason
        await ws.send("order/placeorder\n3\n\n[1]")
        assert (await reply(ws, 3))["s"] == 400
    assert bench.broker.state() == before


async def test_the_wrong_account_is_answered_as_observed(bench: Bench) -> None:
    async with bench.authorized() as ws:
        answer = await ask(ws, 0, "order/placeorder", order(bench, accountId=bench.broker.db.user_id))
    assert answer == {"failureReason": "UnknownReason", "failureText": "Access is denied"}


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("account", {"active": False}, "AccountClosed"),
        ("accountRiskStatus", {"adminAction": "LockTradingImmediately"}, "TradingLocked"),
        ("accountRiskStatus", {"liquidateOnly": True}, "LiquidationOnly"),
    ],
)
async def test_an_account_that_may_not_trade(bench: Bench, kind: str, fields: dict[str, Any], reason: str) -> None:
    account = bench.broker.credentials.accounts[2]
    bench.broker.exchange.change(kind, account, **fields)
    async with bench.authorized() as ws:
        assert (await ask(ws, 2, "order/placeorder", order(bench, accountId=account)))["failureReason"] == reason


async def test_commands_that_come_too_late_or_in_one_anothers_way(bench: Bench) -> None:
    exchange = bench.broker.exchange
    done = exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
    live = exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 2, price=5000)
    exchange.fill(done)
    change = {"orderQty": 3, "orderType": "Limit", "price": 5001}
    async with bench.authorized() as ws:
        for ident, endpoint, body in ((2, "cancelorder", {}), (3, "modifyorder", change)):
            answer = await ask(ws, ident, f"order/{endpoint}", {"orderId": done, **body})
            assert answer["failureReason"] == "TooLate"
        assert (await ask(ws, 4, "order/cancelorder", {"orderId": 1}))["failureReason"] == "UnknownReason"
        exchange.pause()
        assert "commandId" in await ask(ws, 5, "order/modifyorder", {"orderId": live, **change})
        assert exchange.order(live)["ordStatus"] == "PendingReplace"
        answer = await ask(ws, 6, "order/cancelorder", {"orderId": live})
        assert answer["failureReason"] == "AnotherCommandPending"
        exchange.fill(live)  # before the modification came through: it is too late then
        assert bench.broker.ledger_state()["order"][str(live)]["orderQty"] == 2
        exchange.resume()
        assert exchange.order(live)["ordStatus"] == "Filled"


async def test_limits_of_the_risk_check_reject_by_events() -> None:
    limits = Settings(max_order_qty=5, max_position=3, snapshot_orders=0)
    async with running(limits) as bench, bench.authorized() as ws:
        account = bench.broker.credentials.accounts[2]
        for ident, (qty, status) in enumerate(((6, "Rejected"), (4, "Rejected"), (3, "Working"))):
            body = order(bench, accountId=account, symbol="NQH6", orderQty=qty, price=17000)
            placed = (await ask(ws, ident + 2, "order/placeorder", body))["orderId"]
            assert bench.broker.exchange.order(placed)["ordStatus"] == status
        reasons = [x["rejectReason"] for x in bench.broker.db.of("commandReport") if "rejectReason" in x]
        assert reasons == ["MaxOrderQtyLimitReached", "MaxPosLimitReached"]


async def test_what_works_already_counts_in_the_position_limit() -> None:
    async with running(Settings(max_position=3, snapshot_orders=0)) as bench:
        exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]

        def place(action: Any, qty: int, **more: Any) -> tuple[int, str]:
            ident = exchange.place(account, "ESH6", action, qty, price=5000, **more)
            return ident, exchange.order(ident)["ordStatus"]

        first, status = place("Buy", 2)
        assert (status, place("Buy", 2)[1]) == ("Working", "Rejected"), "two and two could be four"
        assert place("Sell", 3)[1] == "Working", "the other side is counted by itself"
        exchange.fill(first, 1)
        second, status = place("Buy", 1)
        assert (status, place("Buy", 1)[1]) == ("Working", "Rejected"), "held, left and new: 1 + 1 + 1"
        exchange.cancel(second)
        exchange.modify(first, orderQty=3)
        assert exchange.left(first) == 2
        assert place("Buy", 1)[1] == "Rejected"
        exchange.modify(first, orderQty=4)
        assert exchange.left(first) == 2, "a change counts like an order"
        exchange.fill(first)
        exchange.risk.max_position = 1
        assert place("Sell", 2)[1] == "Rejected", "five sold of three held could be two short"
        for gone in bench.broker.db.of("order"):
            if not exchange.is_over(gone["id"]):
                exchange.cancel(gone["id"])
        assert place("Sell", 4)[1] == "Working", "one short; and three held, more than the limit, may be closed"


async def test_a_change_under_way_counts_in_the_position_limit() -> None:
    async with running(Settings(max_position=3, snapshot_orders=0)) as bench:
        exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]
        first = exchange.place(account, "ESH6", "Buy", 1, price=5000)
        exchange.pause()
        exchange.modify(first, orderQty=3)
        second = exchange.place(account, "ESH6", "Buy", 1, price=5000)
        assert (exchange.order(first)["ordStatus"], exchange.left(first)) == ("PendingReplace", 1)
        assert exchange.order(second)["ordStatus"] == "Rejected", "three will be left of the first"


async def test_of_an_oco_one_counts_and_a_bracket_when_it_wakes() -> None:
    async with running(Settings(max_position=3, snapshot_orders=0)) as bench, bench.authorized() as ws:
        exchange = bench.broker.exchange
        leg = {"action": "Buy", "orderType": "Limit", "price": 5010}
        oco = await ask(ws, 2, "order/placeoco", order(bench, orderQty=3, other=leg))
        assert {exchange.order(x)["ordStatus"] for x in oco.values()} == {"Working"}, "they cannot both be filled"
        for ident in oco.values():
            exchange.cancel(ident)
        back = leg | {"action": "Sell"}
        oso = await ask(ws, 3, "order/placeoso", order(bench, orderQty=3, bracket1=back, bracket2=back))
        first, second = oso["oso1Id"], oso["oso2Id"]
        exchange.modify(first, orderQty=7)
        assert exchange.order(first)["ordStatus"] == "Suspended"
        exchange.fill(oso["orderId"])
        assert [exchange.order(x)["ordStatus"] for x in (first, second)] == ["Rejected", "Working"]


# Orders that hang on one another; what a client's order meets.


async def test_an_oco_and_an_oso_over_the_socket(bench: Bench) -> None:
    exchange = bench.broker.exchange
    leg = {"action": "Sell", "orderType": "Limit", "price": 5010}
    stop = {"action": "Sell", "orderType": "Stop", "stopPrice": 4990}
    async with bench.authorized() as ws:
        oco = await ask(ws, 2, "order/placeoco", order(bench, other=leg))
        first, second = oco["orderId"], oco["ocoId"]
        assert (exchange.order(first)["ocoId"], exchange.order(second)["ocoId"]) == (second, first)
        exchange.fill(second, 1)
        assert [exchange.order(x)["ordStatus"] for x in (first, second)] == ["Canceled", "Working"]
        oso = await ask(ws, 3, "order/placeoso", order(bench, bracket1=leg, bracket2=stop))
        parent, *brackets = oso["orderId"], oso["oso1Id"], oso["oso2Id"]
        assert [exchange.order(x)["ordStatus"] for x in brackets] == ["Suspended", "Suspended"]
        exchange.fill(parent)
        assert [exchange.order(x)["ordStatus"] for x in brackets] == ["Working", "Working"]
        exchange.fill(brackets[1])
        assert [exchange.order(x)["ordStatus"] for x in brackets] == ["Canceled", "Filled"]
        exchange.reject_next()
        oso = await ask(ws, 4, "order/placeoso", order(bench, bracket1=leg))
        assert {exchange.order(x)["ordStatus"] for x in oso.values()} == {"Rejected"} and len(oso) == 2


async def test_a_position_is_liquidated(bench: Bench) -> None:
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[2]
    exchange.fill(exchange.place(account, "NQH6", "Buy", 3, price=17000))
    working = exchange.place(account, "NQH6", "Sell", 1, price=17100)
    contract = exchange.contract_of("NQH6")
    assert contract is not None
    body = {"accountId": account, "contractId": contract["id"], "admin": False}
    exchange.auto_fill = "at once"
    async with bench.authorized() as ws:
        assert set(await ask(ws, 2, "order/liquidateposition", body)) == {"orderId"}
        assert exchange.order(working)["ordStatus"] == "Canceled"
        assert exchange.books.net(account, contract["id"]) == 0
        again, before = exchange.place(account, "NQH6", "Sell", 1, price=17100), bench.broker.state()
        assert (await ask(ws, 3, "order/liquidateposition", body))["failureReason"] == "UnknownReason"
        assert bench.broker.state() == before, "a refusal changes nothing: no order is cancelled where none can close"
        assert exchange.order(again)["ordStatus"] == "Working"


@pytest.mark.parametrize(
    ("policy", "tif", "fills", "status"),
    [
        ("never", "Day", [], "Working"),
        ("at once", "Day", [3], "Filled"),
        ("partial then full", "Day", [1, 2], "Filled"),
        ("never", "IOC", [], "Expired"),
        ("partial then full", "IOC", [1, 2], "Filled"),
        ("never", "FOK", [], "Expired"),
        ("at once", "FOK", [3], "Filled"),
        ("partial then full", "FOK", [3], "Filled"),
    ],
)
async def test_what_a_clients_order_meets(policy: Any, tif: str, fills: list[int], status: str) -> None:
    async with running(Settings(auto_fill=policy)) as bench, bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", order(bench, orderQty=3, timeInForce=tif)))["orderId"]
        assert [x["qty"] for x in bench.broker.db.of_order("fill", placed)] == fills
        assert bench.broker.exchange.order(placed)["ordStatus"] == status
        elsewhere = bench.broker.exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
        assert bench.broker.exchange.order(elsewhere)["ordStatus"] == "Working"


@pytest.mark.parametrize(
    ("policy", "fills", "status"), [("never", [1], "Expired"), ("partial then full", [1, 3], "Filled")]
)
async def test_an_order_that_is_changed_to_fill_or_kill_is(bench: Bench, policy: Any, fills: Any, status: str) -> None:
    exchange = bench.broker.exchange
    async with bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", order(bench, orderQty=4)))["orderId"]
        exchange.fill(placed, 1)
        exchange.auto_fill = policy
        change = {"orderId": placed, "orderQty": 4, "orderType": "Limit", "price": 5001, "timeInForce": "FOK"}
        await ask(ws, 3, "order/modifyorder", change)
    assert [x["qty"] for x in bench.broker.db.of_order("fill", placed)] == fills
    assert exchange.order(placed)["ordStatus"] == status


async def test_an_order_is_due_at_its_very_time(bench: Bench) -> None:
    body = order(bench, timeInForce="GTD", expireTime="2099-01-05T14:30:00Z")
    async with bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", body))["orderId"]
    for now, over in (("2099-01-05T14:29:59.999Z", False), ("2099-01-05T14:30:00.000Z", True)):
        bench.broker.exchange.expire_due(now)
        assert bench.broker.exchange.is_over(placed) == over


async def test_an_order_expires_at_its_own_time(bench: Bench) -> None:
    async with bench.authorized() as ws:
        # From the login on, and so far ahead that a busy machine places it before: one in the past is refused.
        wall = bench.broker.tokens.wall(bench.broker.clock()) + datetime.timedelta(seconds=1)
        body = order(bench, timeInForce="GTD", expireTime=wall.isoformat())
        placed = (await ask(ws, 2, "order/placeorder", body))["orderId"]
        assert bench.broker.exchange.order(placed)["ordStatus"] == "Working"
        await bench.wait(lambda: bench.broker.exchange.is_over(placed))
        assert bench.broker.exchange.order(placed)["ordStatus"] == "Expired"


@pytest.mark.parametrize("first", ["after answer", "before answer"])
async def test_over_rest_as_over_the_socket(first: Any) -> None:
    async with running(Settings(order_events=first)) as bench, bench.authorized() as ws:
        await synced(bench, ws)
        token = bench.broker.issue_token().access
        bearer = {"Authorization": f"Bearer {token}"}
        body = json.dumps(order(bench)).encode()
        status, _, answer = (await rest(bench, ("POST", "/v1/order/placeOrder", bearer, body)))[0]
        assert status == 200 and set(answer) == {"orderId"}
        assert [told(await messages(ws)) for _ in PLACED] == PLACED
        records = [x for x in bench.writer.records if isinstance(x, r.RestAnswer) or "orderVersion" in str(x)]
        assert isinstance(records[-2 if first == "after answer" else -1], r.RestAnswer)
