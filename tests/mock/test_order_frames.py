"""Events of orders in one frame, kept back, late, repeated, as arrays; and to whom they go."""

import json

import pytest
from mock_bench import Bench, messages, reply
from order_bench import ask, order, told
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.asyncio


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
