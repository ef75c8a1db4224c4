"""The exchange over socket and REST: answers, event sequences as the protocol notes give them, and what it refuses."""

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest
from brokercert.trace import records as r
from brokercert_mock import Settings
from mock_bench import Bench, messages, reply, running
from test_takes_correct_clients import rest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.asyncio


async def ask(ws: ClientConnection, ident: int, endpoint: str, body: Any) -> Any:
    await ws.send(f"{endpoint}\n{ident}\n\n{json.dumps(body)}")
    return (await reply(ws, ident))["d"]


def order(bench: Bench, **fields: Any) -> dict[str, Any]:
    account = bench.broker.credentials.accounts[0]
    body = {"accountId": account, "action": "Buy", "symbol": "ESH6", "orderQty": 2, "orderType": "Limit"}
    return body | {"price": 5000.25, "timeInForce": "Day", "isAutomated": True} | fields


def told(frame: list[Any]) -> list[str]:
    """A frame's messages in short: `order Created PendingNew`, `answer`."""
    result = []
    for message in frame:
        data = message.get("d", {})
        if "i" in message:
            result.append("answer")
            continue
        entity = data["entity"]
        state = entity.get("ordStatus") if data["entityType"] == "order" else entity.get("commandStatus")
        words = [data["entityType"], data["eventType"], entity.get("execType"), state]
        result.append(" ".join(x for x in words if x))
    return result


async def frames(ws: ClientConnection, last: str) -> list[list[str]]:
    """Frames in short, up to and with the one that tells `last`."""
    result = []
    while not result or last not in result[-1]:
        result.append(told(await messages(ws)))
    return result


PLACED = [
    ["order Created PendingNew", "command Created Pending", "orderVersion Created"],
    ["commandReport Created RiskPassed"],
    ["command Updated RiskPassed"],
    ["executionReport Created New"],
    ["commandReport Created AtExecution"],
    ["command Updated AtExecution"],
    ["order Updated Working"],
]


async def synced(bench: Bench, ws: ClientConnection) -> None:
    bench.broker.quiet(True)
    await ask(ws, 90, "user/syncrequest", {"users": [bench.broker.db.user_id]})


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
        assert raw[0]["d"]["entity"]["userSessionId"] == 1
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


# What is wrong with a request, and what is refused at entry.


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
    before = bench.broker.state()
    async with bench.authorized() as ws:
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
    before = bench.broker.state()
    async with bench.authorized() as ws:
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
    async with running(Settings(max_order_qty=5, max_position=3)) as bench, bench.authorized() as ws:
        account = bench.broker.credentials.accounts[2]
        for ident, (qty, status) in enumerate(((6, "Rejected"), (4, "Rejected"), (3, "Working"))):
            body = order(bench, accountId=account, symbol="NQH6", orderQty=qty, price=17000)
            placed = (await ask(ws, ident + 2, "order/placeorder", body))["orderId"]
            assert bench.broker.exchange.order(placed)["ordStatus"] == status
        reasons = [x["rejectReason"] for x in bench.broker.db.of("commandReport") if "rejectReason" in x]
        assert reasons == ["MaxOrderQtyLimitReached", "MaxPosLimitReached"]


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
        assert (await ask(ws, 3, "order/liquidateposition", body))["failureReason"] == "UnknownReason"
    assert exchange.order(working)["ordStatus"] == "Canceled"
    assert exchange.books.net(account, contract["id"]) == 0


@pytest.mark.parametrize(
    ("policy", "tif", "fills", "status"),
    [
        ("never", "Day", [], "Working"),
        ("at once", "Day", [3], "Filled"),
        ("partial then full", "Day", [1, 2], "Filled"),
        ("never", "IOC", [], "Expired"),
        ("at once", "FOK", [3], "Filled"),
    ],
)
async def test_what_a_clients_order_meets(policy: Any, tif: str, fills: list[int], status: str) -> None:
    async with running(Settings(auto_fill=policy)) as bench, bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", order(bench, orderQty=3, timeInForce=tif)))["orderId"]
        assert [x["qty"] for x in bench.broker.db.of_order("fill", placed)] == fills
        assert bench.broker.exchange.order(placed)["ordStatus"] == status
        elsewhere = bench.broker.exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
        assert bench.broker.exchange.order(elsewhere)["ordStatus"] == "Working"


async def test_an_order_expires_at_its_own_time(bench: Bench) -> None:
    wall = bench.broker.tokens.wall(bench.broker.clock()) + datetime.timedelta(seconds=0.1)
    body = order(bench, timeInForce="GTD", expireTime=wall.isoformat())
    async with bench.authorized() as ws:
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


# Frames: several messages in one, kept back, repeated, as arrays; filters.


async def test_a_batch_is_one_frame_and_may_carry_arrays(bench: Bench) -> None:
    exchange, account = bench.broker.exchange, bench.broker.credentials.accounts[0]
    idents = [exchange.place(account, "ESH6", "Buy", 1, price=5000) for _ in range(2)]
    async with bench.authorized() as ws:
        await ask(ws, 90, "user/syncrequest", {"entityTypes": ["order", "fill"]})
        bench.broker.quiet(True)
        with bench.broker.batch():
            exchange.fill(idents[0])
        assert told(await messages(ws)) == ["fill Created", "order Updated Filled"]
        with bench.broker.batch(arrays=True):
            exchange.cancel(idents[1])
        data = (await messages(ws))[0]["d"]
        assert [x["ordStatus"] for x in data["entity"]] == ["PendingCancel", "Canceled"]
        bench.broker.on("order/placeorder").in_one_frame()
        await ws.send(f"order/placeorder\n7\n\n{json.dumps(order(bench))}")
        assert told(await messages(ws)) == ["answer", "order Created PendingNew", "order Updated Working"]
        bench.broker.on_events(next=1).as_array()
        bench.broker.exchange.place(account, "ESH6", "Buy", 1, price=5000)
        assert isinstance((await messages(ws))[0]["d"]["entity"], list)


async def test_events_are_kept_back_and_come_late_or_never(bench: Bench) -> None:
    exchange = bench.broker.exchange
    ident = exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
    async with bench.authorized() as ws:
        await ask(ws, 90, "user/syncrequest", {"entityTypes": ["order"]})
        bench.broker.quiet(True)
        with bench.broker.hold_events() as held:
            exchange.cancel(ident)
        assert len(held.frames) == 8
        held.release(reverse=True)
        assert [told(await messages(ws)) for _ in range(2)] == [
            ["order Updated Canceled"],
            ["order Updated PendingCancel"],
        ]
        with bench.broker.hold_events():
            exchange.delete("order", ident)
        exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
        assert told(await messages(ws)) == ["order Created PendingNew"], "what is never released is never sent"


async def test_a_snapshot_kept_back_is_older_than_the_events_before_it(bench: Bench) -> None:
    exchange = bench.broker.exchange
    ident = exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
    hold = bench.broker.on("user/syncrequest").hold_answer()
    bench.broker.quiet(True)
    async with bench.authorized() as ws:
        await ws.send('user/syncrequest\n2\n\n{"entityTypes":["order"]}')
        assert await hold.wait_held(5)
        exchange.fill(ident)
        hold.release()
        assert told(await messages(ws)) == ["order Updated Filled"]
        orders = {x["id"]: x["ordStatus"] for x in (await reply(ws, 2))["d"]["orders"]}
        assert orders[ident] == "Working"


async def test_a_request_of_a_connection_that_is_cut_is_done_without_an_answer(bench: Bench) -> None:
    bench.broker.on("order/placeorder", nth=1).first(lambda conn: conn.rst())
    before = len(bench.broker.db.of("order"))
    async with bench.authorized() as ws:
        await ws.send(f"order/placeorder\n7\n\n{json.dumps(order(bench))}")
        with pytest.raises(ConnectionClosed):
            await messages(ws)
    assert len(bench.broker.db.of("order")) == before + 1


async def test_each_socket_hears_of_its_own_accounts_only(bench: Bench) -> None:
    exchange, accounts = bench.broker.exchange, bench.broker.credentials.accounts
    bench.broker.quiet(True)
    async with bench.authorized() as one, bench.authorized() as two:
        for remainder, ws in enumerate((one, two)):
            shard = {"expressionType": "modAccountId", "divisor": 2, "remainder": remainder}
            await ask(ws, 2, "user/syncrequest", {"entityTypes": ["fill"], "shardingExpression": shard})
        expected: dict[int, list[int]] = {0: [], 1: []}
        for account in accounts:
            expected[account % 2].append(exchange.fill(exchange.place(account, "NQH6", "Buy", 1, price=17000)))
        for remainder, ws in enumerate((one, two)):
            heard = [(await messages(ws))[0]["d"]["entity"]["id"] for _ in expected[remainder]]
            assert heard == expected[remainder] and heard


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
