"""Market data of any contract, orders of earlier days, and rules for one request alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from brokercert_mock import Settings
from mock_bench import Bench, messages, reply, running

pytestmark = pytest.mark.asyncio

MINE = {"symbol": "ESZ6"}


async def ask(ws: Any, ident: int, endpoint: str, body: object = None, query: str = "") -> dict[str, Any]:
    await ws.send(f"{endpoint}\n{ident}\n{query}\n{json.dumps(body) if body is not None else ''}")
    answer: dict[str, Any] = await reply(ws, ident)
    return answer


async def events(ws: Any, kind: str) -> dict[str, Any]:
    """The data of the next event of this kind."""
    while True:
        for message in await messages(ws):
            if message.get("e") == kind:
                data: dict[str, Any] = message["d"]
                return data


@pytest.mark.parametrize("kind", ["Quote", "DOM", "Histogram"])
@pytest.mark.parametrize("symbol", ["ESH6", "esz6", "6EM26", "@NQ"])
async def test_any_symbol_that_looks_like_one_can_be_subscribed_to(bench: Bench, kind: str, symbol: str) -> None:
    async with bench.authorized() as ws:
        assert await ask(ws, 5, f"md/subscribe{kind}", {"symbol": symbol}) == {"s": 200, "i": 5, "d": {}}
        told = await events(ws, "md")
        (entry,) = told[f"{kind.lower()}s"]
        found = await ask(ws, 6, "contract/find", query=f"name={symbol}")
        assert found["d"]["id"] == entry["contractId"] and found["d"]["name"] == symbol.upper()
        assert (await ask(ws, 7, "contract/item", query=f"id={entry['contractId']}"))["s"] == 200
        assert (await ask(ws, 8, f"md/unsubscribe{kind}", {"symbol": entry["contractId"]}))["s"] == 200


REFUSED = {"errorText": "Symbol is inaccessible", "errorCode": "UnknownSymbol", "mode": "None"}  # TP §4
ENDPOINTS = ("md/subscribequote", "md/getchart", "md/unsubscribedom")


@pytest.mark.parametrize("symbol", ["", "nonsense", "ES", 17, None])
async def test_what_is_no_symbol_is_refused_inside_a_200(bench: Bench, symbol: object) -> None:
    async with bench.authorized() as ws:
        for number, endpoint in enumerate(ENDPOINTS, 5):
            assert await ask(ws, number, endpoint, {"symbol": symbol}) == {"s": 200, "i": number, "d": REFUSED}
        assert (await ask(ws, 9, "md/subscribequote"))["d"] == REFUSED


async def test_an_unknown_symbol_may_be_not_found() -> None:
    async with running(Settings(md_unknown="404")) as bench, bench.authorized() as ws:
        assert await ask(ws, 5, ENDPOINTS[0], {"symbol": "ES"}) == {"s": 404, "i": 5, "d": f"Not found: {ENDPOINTS[0]}"}


@pytest.mark.parametrize(
    ("how", "status", "data"), [("200", 200, REFUSED), ("401", 401, "Access is denied")], ids=["200", "401"]
)
async def test_a_symbol_without_entitlement_is_refused(how: Any, status: int, data: object) -> None:
    async with running(Settings(denied_symbols=("ESH6",), md_denied=how)) as bench, bench.authorized() as ws:
        assert await ask(ws, 5, "md/subscribeQuote", {"symbol": "esh6"}) == {"s": status, "i": 5, "d": data}
        assert await ask(ws, 6, "md/subscribeQuote", MINE) == {"s": 200, "i": 6, "d": {}}
        known = (await ask(ws, 7, "contract/find", query="name=ESZ6"))["d"]["id"]
        bench.broker.market_data.tick()
        assert [x["contractId"] for _ in range(2) for x in (await events(ws, "md"))["quotes"]] == [known, known]


@pytest.mark.parametrize(("kind", "status"), [("access", 401), ("md", 200)])
async def test_market_data_may_ask_for_its_own_token(kind: str, status: int) -> None:
    async with running(Settings(md_token_only=True)) as bench, bench.socket() as ws:
        token = bench.broker.issue_token()
        await ws.send(f"authorize\n1\n\n{getattr(token, kind)}")
        assert (await reply(ws, 1))["s"] == 200, "the login itself succeeds"
        assert (await ask(ws, 5, "md/subscribeQuote", MINE))["s"] == status
        assert (await ask(ws, 6, "account/list"))["s"] == 200


CHART = {**MINE, "chartDescription": {"underlyingType": "MinuteBar"}, "timeRange": {"asMuchAsElements": 3}}


@pytest.mark.parametrize("cancels", ["historicalId", "realtimeId"])
@pytest.mark.parametrize(
    ("how", "past", "alike"),
    [
        ("one", "realtimeId", True),
        ("history under realtimeId", "realtimeId", False),
        ("history under historicalId", "historicalId", False),
    ],
)
async def test_a_chart_has_a_past_and_a_present_until_it_is_cancelled(
    how: Any, past: str, alike: bool, cancels: str
) -> None:
    async with running(Settings(chart_ids=how)) as bench, bench.authorized() as ws:
        ids = (await ask(ws, 5, "md/getChart", CHART))["d"]
        assert (ids["historicalId"] == ids["realtimeId"]) == alike
        bars = (await events(ws, "chart"))["charts"][0]
        assert bars["id"] == ids[past] and len(bars["bars"]) == 3
        assert (await events(ws, "chart"))["charts"] == [{"id": ids[past], "eoh": True}]
        bench.broker.market_data.tick()
        assert (await events(ws, "chart"))["charts"][0]["id"] == ids["realtimeId"]
        for status in (200, 404):
            assert (await ask(ws, 6, "md/cancelchart", {"subscriptionId": ids[cancels]}))["s"] == status


async def test_orders_of_earlier_days_are_read_by_their_ids_alone(bench: Bench) -> None:
    broker = bench.broker
    old, *others = broker.archived_orders
    assert len(others) >= 9
    async with bench.authorized() as ws:
        assert (await ask(ws, 5, "order/item", query=f"id={old}"))["d"]["id"] == old
        assert [x["id"] for x in (await ask(ws, 6, "order/items", query=f"ids={others[0]},{old}"))["d"]] == [
            old,
            others[0],
        ]
        assert not {x["id"] for x in (await ask(ws, 7, "order/list"))["d"]} & {old, *others}
        snapshot = (await ask(ws, 8, "user/syncrequest", {"entityTypes": ["order"]}))["d"]
        assert not {x["id"] for x in snapshot["orders"]} & {old, *others}
        assert not {str(old)} & set(broker.ledger_state()["order"])


async def test_a_rule_for_one_request_lets_all_others_go_by(bench: Bench) -> None:
    first, second, *_ = bench.broker.archived_orders
    bench.broker.on("order/item", times=1, only={"id": second}).refuse(418, "not today")
    bench.broker.on("order/placeorder", only={"price": 4487.25}).refuse(418, "not today")
    account = bench.broker.credentials.accounts[0]
    order = {"accountId": account, "action": "Buy", "symbol": "ESH6", "orderQty": 1, "orderType": "Limit"}
    async with bench.authorized() as ws:
        assert (await ask(ws, 5, "order/item", query=f"id={first}"))["s"] == 200
        assert (await ask(ws, 6, "order/item", query=f"id={second}"))["s"] == 418
        assert (await ask(ws, 7, "order/item", query=f"id={second}"))["s"] == 200
        assert (await ask(ws, 8, "order/placeorder", {**order, "price": 4487.5, "isAutomated": True}))["s"] == 200
        for number, price in enumerate((4487.25, "4487.250")):
            answer = await ask(ws, 9 + number, "order/placeorder", {**order, "price": price, "isAutomated": True})
            assert answer["s"] == 418
