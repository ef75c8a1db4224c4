"""The exchange: event sequences as the protocol notes give them, what a script may do, the ledger that is recorded."""

import json
from decimal import Decimal
from typing import Any

import pytest
from brokercert.trace import records as r
from brokercert_mock import Settings
from mock_bench import Bench, messages, running
from order_bench import PLACED, ask, frames, order, synced, told

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("first", ["after answer", "before answer"])
async def test_an_order_is_placed_as_the_notes_say(first: Any) -> None:
    async with running(Settings(order_events=first)) as bench, bench.authorized() as ws:
        await synced(bench, ws)
        await ws.send(f"order/placeOrder\n7\n\n{json.dumps(order(bench))}")
        seen = [told(await messages(ws)) for _ in range(8)]
        assert seen == ([["answer"], *PLACED] if first == "after answer" else [*PLACED, ["answer"]])


async def test_a_modify_is_told_as_observed(bench: Bench) -> None:
    ident = bench.broker.exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 2, price=5000)
    async with bench.authorized() as ws:
        await synced(bench, ws)
        body = {"orderId": ident, "orderQty": 3, "orderType": "Limit", "price": 5001.5}
        await ws.send(f"order/modifyorder\n7\n\n{json.dumps(body)}")
        answer = (await messages(ws))[0]
        command_id = answer["d"]["commandId"]
        raw = await messages(ws)
        assert [x["d"]["entity"]["id"] for x in raw] == [command_id, command_id]
        assert told(raw) == ["command Created Pending", "orderVersion Created"]
        assert raw[0]["d"]["entity"]["senderId"] == bench.broker.db.user_id
        assert raw[0]["d"]["entity"]["userSessionId"] in bench.broker.db.entities["userSession"]
        report = await messages(ws)
        assert told(report) == ["commandReport Created RiskPassed"]
        assert report[0]["d"]["entity"]["id"] == command_id + 1
        assert await frames(ws, "order Updated Working") == [
            ["command Updated RiskPassed"],
            ["order Updated PendingReplace"],
            ["executionReport Created Replaced"],
            ["commandReport Created AtExecution"],
            ["command Updated AtExecution"],
            ["order Updated Working"],
        ]
    assert bench.broker.ledger_state()["order"][str(ident)]["price"] == "5001.5"


async def test_fills_are_told_as_the_notes_say(bench: Bench) -> None:
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[2]
    ident = exchange.place(account, "NQH6", "Buy", 3, price=17000)
    other = exchange.place(account, "NQH6", "Sell", 3, price=17001)
    money = ["position {}", "cashBalance Updated", "fillFee Created", "marginSnapshot Updated"]
    async with bench.authorized() as ws:
        await synced(bench, ws)
        exchange.fill(ident, 1)
        report = bench.broker.db.of("executionReport")[-1]
        assert (report["commandId"], report["cumQty"], report["lastPx"]) == (ident, 1, 17000)
        part = await frames(ws, "marginSnapshot Updated")
        assert part[:2] == [["executionReport Created Trade"], ["fill Created"]]
        assert part[2:] == [[x.format("Created")] for x in money]
        exchange.fill(ident)
        rest = await frames(ws, "marginSnapshot Updated")
        assert rest[:3] == [["executionReport Created Trade"], ["fill Created"], ["order Updated Filled"]]
        assert rest[3:] == [[x.format("Updated")] for x in money]
        exchange.fill(other)
        out = await frames(ws, "marginSnapshot Updated")
        assert out[3:] == [
            ["position Updated"],
            ["fillPair Created"],
            ["fillPair Created"],
            *[[x] for x in money[1:]],
        ]


async def test_a_cancel_a_reject_and_an_expiry(bench: Bench) -> None:
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]
    idents = [exchange.place(account, "ESH6", "Buy", 2, price=5000) for _ in range(3)]
    async with bench.authorized() as ws:
        await synced(bench, ws)
        assert await ask(ws, 2, "order/cancelorder", {"orderId": idents[0]})
        assert await frames(ws, "order Updated Canceled") == [
            ["command Created Pending"],
            ["commandReport Created RiskPassed"],
            ["command Updated RiskPassed"],
            ["order Updated PendingCancel"],
            ["executionReport Created Canceled"],
            ["commandReport Created AtExecution"],
            ["command Updated AtExecution"],
            ["order Updated Canceled"],
        ]
        exchange.reject(idents[1], "NoQuote", "No market")
        assert await frames(ws, "order Updated Rejected") == [
            ["commandReport Created ExecutionRejected"],
            ["command Updated ExecutionRejected"],
            ["executionReport Created Rejected"],
            ["order Updated Rejected"],
        ]
        exchange.expire(idents[2])
        assert await frames(ws, "order Updated Expired") == [
            ["executionReport Created Expired"],
            ["order Updated Expired"],
        ]
        exchange.reject_next("MaxPosLimitReached", "Too much")
        answer = await ask(ws, 3, "order/placeorder", order(bench))
        assert set(answer) == {"orderId"}
        seen = await frames(ws, "order Updated Rejected")
        assert seen == [
            PLACED[0],
            ["commandReport Created RiskRejected"],
            ["command Updated RiskRejected"],
            ["order Updated Rejected"],
        ]
    states = bench.broker.ledger_state()["order"]
    assert [states[str(x)]["ordStatus"] for x in idents] == ["Canceled", "Rejected", "Expired"]


# What a script may not do; what goes for good; the same seed.


async def test_a_mistake_of_the_script_is_said(bench: Bench) -> None:
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]
    ident = exchange.place(account, "ESH6", "Buy", 2, price=5000)
    exchange.fill(ident, 1)
    with pytest.raises(ValueError, match=f"cannot fill 2 of order {ident}: it is Working, 1 of 2 filled"):
        exchange.fill(ident, 2)
    with pytest.raises(ValueError, match="no contract ESZ9; expected one of ESH6, NQH6"):
        exchange.place(account, "ESZ9", "Buy", 1, price=5000)
    with pytest.raises(ValueError, match="order 1: there is none"):
        exchange.cancel(1)
    with pytest.raises(ValueError, match="the exchange keeps it"):
        exchange.change("order", ident, ordStatus="Filled")
    held = next(x["id"] for x in bench.broker.db.of("position") if x["netPos"])
    with pytest.raises(ValueError, match="it is not flat"):
        exchange.delete("position", held)
    with pytest.raises(ValueError, match="end its orders"):
        exchange.delete("account", account)


async def test_what_is_deleted_is_told_and_gone(bench: Bench) -> None:
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[2]
    for order_id in [x["id"] for x in bench.broker.db.of("order") if x["accountId"] == account]:
        if not exchange.is_over(order_id):
            exchange.cancel(order_id)
    ident = exchange.place(account, "NQH6", "Buy", 1, price=17000)
    fill = exchange.fill(ident)
    exchange.fill(exchange.place(account, "NQH6", "Sell", 1, price=17000))
    position = exchange.books.position(account, bench.broker.db.entities["order"][ident]["contractId"])
    assert position is not None
    async with bench.authorized() as ws:
        await ask(ws, 2, "user/syncrequest", {"entityTypes": ["order", "fill", "position", "account", "cashBalance"]})
        bench.broker.quiet(True)
        for kind, gone in (("order", ident), ("fill", fill), ("position", position["id"]), ("account", account)):
            exchange.delete(kind, gone)
            assert str(gone) not in bench.broker.ledger_state()[kind]
        seen = [told(await messages(ws)) for _ in range(5)]
        kinds = ["order", "fill", "position", "cashBalance", "account"]
        assert [" ".join(x[0].split()[:2]) for x in seen] == [f"{kind} Deleted" for kind in kinds]


async def test_brackets_are_cancelled_before_the_order_that_they_wait_for_is_deleted(bench: Bench) -> None:
    exchange = bench.broker.exchange
    leg = {"action": "Sell", "orderType": "Limit", "price": 5010}
    async with bench.authorized() as ws:
        await synced(bench, ws)
        oso = await ask(ws, 2, "order/placeoso", order(bench, bracket1=leg, bracket2=leg | {"price": 5011}))
        parent, *brackets = oso["orderId"], oso["oso1Id"], oso["oso2Id"]
        await frames(ws, "order Updated Suspended")
        exchange.delete("order", parent)
        assert [exchange.order(x)["ordStatus"] for x in brackets] == ["Canceled", "Canceled"]
        seen = await frames(ws, "order Deleted Working")
        assert seen[-5:] == [*[["executionReport Created Canceled"], ["order Updated Canceled"]] * 2, seen[-1]]
        filled = await ask(ws, 3, "order/placeoso", order(bench, bracket1=leg))
        exchange.fill(filled["orderId"])
        exchange.delete("order", filled["orderId"])
        assert exchange.order(filled["oso1Id"])["ordStatus"] == "Working", "it waits for nothing any more"


@pytest.mark.parametrize(("policy", "left"), [("fill", "Working"), ("any end", "Canceled")])
async def test_when_an_ocos_sibling_goes(policy: Any, left: str) -> None:
    async with running(Settings(oco_cancel=policy)) as bench, bench.authorized() as ws:
        exchange, leg = bench.broker.exchange, {"action": "Sell", "orderType": "Limit", "price": 5010}
        oco = await ask(ws, 2, "order/placeoco", order(bench, other=leg))
        exchange.fill(oco["orderId"], 1)
        states = [exchange.order(x)["ordStatus"] for x in oco.values()]
        assert states == ["Working", "Canceled"], "a fill ends the other, which does not end the one that is filled"
        oco = await ask(ws, 3, "order/placeoco", order(bench, other=leg))
        exchange.expire(oco["orderId"])
        assert exchange.order(oco["ocoId"])["ordStatus"] == left


async def test_plain_events_change_nothing_that_is_compared(bench: Bench) -> None:
    before = bench.broker.ledger_state()
    async with bench.authorized() as ws:
        await ask(ws, 2, "user/syncrequest", {"users": [bench.broker.db.user_id]})
        for _ in range(15):
            bench.broker.market_event()
    assert bench.broker.ledger_state() == before


async def test_the_ledger_is_recorded_as_it_is_and_the_same_seed_says_the_same() -> None:
    ledgers = []
    for seed in (3, 3, 4):
        async with running(seed=seed) as bench:
            ident = bench.broker.exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 3, price=5000.5)
            bench.broker.exchange.fill(ident, 1, 5000.25)
            bench.broker.tell_ledger("after the fill")
            record = bench.of(r.Ledger)[0]
            assert (record.name, record.state) == ("after the fill", bench.broker.ledger_state())
            assert record.state["order"][str(ident)]["price"] == "5000.5"
            ledgers.append(record.state)
    assert ledgers[0] == ledgers[1] != ledgers[2]


async def test_every_number_is_exact_as_a_double(bench: Bench) -> None:
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[1]
    for tick in (0, 1, 0):
        exchange.fill(exchange.place(account, "NQH6", "Buy", 1, price=17500 + tick * 0.25))
    async with bench.authorized() as ws:
        answer = await ask(ws, 2, "user/syncrequest", {"users": [bench.broker.db.user_id]})
    for kind in ("position", "cashBalance", "fill", "fillFee"):
        sent = {x["id"]: x for x in answer[f"{kind}s"]}
        for entity in bench.broker.db.of(kind):
            for name, value in entity.items():
                if isinstance(value, Decimal):
                    assert Decimal(repr(sent[entity["id"]][name])) == value
    assert any(x["netPrice"] == 17500.08333333 for x in answer["positions"])
