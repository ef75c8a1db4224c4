"""The exchange over socket and REST: answers, event sequences as the protocol notes give them, and what it refuses."""

import json
from typing import Any

import pytest
from brokercert_mock import Settings
from mock_bench import Bench, messages, reply, running
from websockets.asyncio.client import ClientConnection

pytestmark = pytest.mark.asyncio

ALL = json.dumps({"users": [1]})


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
