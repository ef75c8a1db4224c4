"""What is claimed of the real broker, or open, is a setting, and each value does what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from brokercert_mock import Settings
from brokercert_mock.tradovate.settings import PROFILES
from mock_bench import Bench, messages, reply, running
from test_sessions import get
from test_takes_correct_clients import credentials, rest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.asyncio


async def ask(ws: ClientConnection, ident: int, endpoint: str, body: object = None, query: str = "") -> dict[str, Any]:
    await ws.send(f"{endpoint}\n{ident}\n{query}\n{json.dumps(body) if body is not None else ''}")
    return await reply(ws, ident)


async def end_of(ws: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed) as error:
        while True:
            assert "shutdown" not in str(await ws.recv())
    return error.value.rcvd.code if error.value.rcvd is not None else None


@pytest.mark.parametrize("text", ["Access is denied", ""])
async def test_an_endpoint_may_be_denied_while_the_login_is_good(text: str) -> None:
    async with running(Settings(denied_endpoints=("order/list",), denied_text=text)) as bench:
        async with bench.authorized() as ws:
            refusal: dict[str, Any] = {"s": 401, "i": 2} | ({"d": text} if text else {})
            assert await ask(ws, 2, "order/List") == refusal, "where the text is empty there is no `d`"
            assert (await ask(ws, 3, "account/list"))["s"] == 200
        token = bench.broker.issue_token().access
        asked = ("GET", "/v1/order/list", {"Authorization": f"Bearer {token}"}, b"")
        assert (await rest(bench, asked))[0][0] == 401
        assert (await get(bench, "account/list", token))[0] == 200


@pytest.mark.parametrize(("case", "status"), [("any", 200), ("lower only", 404)])
async def test_whether_an_endpoint_in_capitals_is_known(case: Any, status: int) -> None:
    async with running(Settings(endpoint_case=case)) as bench, bench.authorized() as ws:
        assert (await ask(ws, 2, "account/List"))["s"] == status
        assert (await ask(ws, 3, "/account/list"))["s"] == 200


@pytest.mark.parametrize(("limit", "answer"), [(None, 200), (3, 200), (2, 404)])
async def test_how_many_items_may_be_asked_for(limit: int | None, answer: int) -> None:
    async with running(Settings(items_limit=limit)) as bench, bench.authorized() as ws:
        ids = ",".join(map(str, bench.broker.archived_orders[:3]))
        found = await ask(ws, 2, "order/items", query=f"ids={ids}")
        assert found["s"] == answer and ("d" in found) == (answer == 200)


@pytest.mark.parametrize(
    ("names", "asked", "told"),
    [
        ("lenient", ["account"], True),
        ("lenient", ["Accounts"], True),
        ("exact", ["account"], True),
        ("exact", ["accounts"], False),
        ("exact", ["Account"], False),
    ],
)
async def test_how_an_entity_type_is_written(names: Any, asked: list[str], told: bool) -> None:
    async with running(Settings(entity_type_names=names)) as bench, bench.authorized() as ws:
        snapshot = (await ask(ws, 2, "user/syncrequest", {"splitResponses": True, "entityTypes": asked}))["d"]
        assert ("accounts" in snapshot) == told


async def test_accounts_go_with_entity_types(bench: Bench) -> None:
    """Production clients send both, with `splitResponses` (TP §5.1)."""
    one = bench.broker.credentials.accounts[1]
    async with bench.authorized() as ws:
        body = {"splitResponses": True, "accounts": [one], "entityTypes": ["account", "position"]}
        snapshot = (await ask(ws, 2, "user/syncrequest", body))["d"]
    assert [x["id"] for x in snapshot["accounts"]] == [one]
    assert {x["accountId"] for x in snapshot["positions"]} <= {one}


@pytest.mark.parametrize(("how", "there"), [("present", True), ("absent", False)])
async def test_a_login_may_have_no_token_for_market_data(how: Any, there: bool) -> None:
    async with running(Settings(md_access_token=how)) as bench:
        body = credentials(bench)
        _, _, answer = (await rest(bench, ("POST", "/v1/auth/accesstokenrequest", {}, body)))[0]
        assert ("mdAccessToken" in answer) == there and answer["accessToken"]


async def test_a_renewal_with_an_expired_token_says_what_it_is_told_to() -> None:
    async with running(Settings(expired_text="gone")) as bench:
        token = bench.broker.issue_token(life=-1).access
        asked = ("GET", "/v1/auth/renewaccesstoken", {"Authorization": f"Bearer {token}"}, b"")
        status, _, text = (await rest(bench, asked))[0]
        assert (status, text) == (401, "gone")


async def test_a_connection_over_a_quota_may_go_without_a_word() -> None:
    async with running(Settings(max_connections=1, eviction_close="bare")) as bench, bench.authorized() as old:
        async with bench.authorized():
            assert await end_of(old) == 1000


async def test_a_ticket_has_members_that_a_client_need_not_know(bench: Bench) -> None:
    bench.broker.on("account/list", times=1).ticket(p_time=0.2)
    async with bench.authorized() as ws:
        ticket = (await ask(ws, 2, "account/list"))["d"]
        assert set(ticket) == {"p-ticket", "p-time", "p-message"} and ticket["p-message"]
        assert (await ask(ws, 2, "account/list"))["d"].get("p-ticket"), "too early, and under its own id"


async def test_the_dollar_has_its_number_and_can_be_asked_for(bench: Bench) -> None:
    async with bench.authorized() as ws:
        assert (await ask(ws, 2, "currency/item", query="id=1"))["d"]["name"] == "USD"
    assert {x["currencyId"] for x in bench.broker.db.of("cashBalance")} == {1}


async def test_a_profile_is_off_by_default_and_is_made_of_settings() -> None:
    assert Settings().idle_limit is None
    (name,) = PROFILES
    assert name == "strict-claimed" and Settings(**PROFILES[name]).idle_limit == 10


@pytest.mark.parametrize("form", ["answers", "wrappers"])
async def test_the_parts_of_a_snapshot_have_one_of_two_forms(form: Any) -> None:
    async with running(Settings(split_parts=2, split_form=form)) as bench, bench.authorized() as ws:
        await ws.send('user/syncrequest\n2\n\n{"entityTypes":["account"]}')
        parts = [message["d"] for _ in range(2) for message in await messages(ws)]
        accounts = set(bench.broker.credentials.accounts)
        if form == "answers":
            assert {x["id"] for part in parts for x in part.get("accounts", [])} == accounts
        else:
            told = [one for part in parts for one in part if one["entityType"] == "account"]
            assert {one["entity"]["id"] for one in told} == accounts and {x["eventType"] for x in told} == {"Created"}


@pytest.mark.parametrize(("how", "told"), [("each", [1, 1, 1, 1]), ("latest", [2])])
async def test_quotes_may_be_put_together_and_outdated_ones_left_out(how: Any, told: list[int]) -> None:
    async with running(Settings(md_conflate=how, event_every=1000.0)) as bench, bench.authorized() as ws:
        for ident, symbol in enumerate(("ESH6", "NQH6"), 2):
            assert (await ask(ws, ident, "md/subscribeQuote", {"symbol": symbol}))["s"] == 200
            await messages(ws)  # its first quote, which comes at once
        bench.broker.market_data.tick()
        bench.broker.market_data.tick()
        bench.broker.connections[0].send_event("clock", "")
        sizes: list[int] = []
        while True:
            for message in await messages(ws):
                if message["e"] == "clock":
                    assert sizes == told
                    return
                sizes.append(len(message["d"]["quotes"]))


@pytest.mark.parametrize(("how", "entries"), [("whole", "Bid Offer Trade"), ("sparse", "Bid EmptyBook")])
async def test_a_quote_may_lack_what_is_optional(how: Any, entries: str) -> None:
    async with running(Settings(quote_entries=how)) as bench, bench.authorized() as ws:
        assert (await ask(ws, 2, "md/subscribeQuote", {"symbol": "ESH6"}))["s"] == 200
        (event,) = await messages(ws)
        (quote,) = event["d"]["quotes"]
        assert set(quote["entries"]) == {*entries.split(), "TotalTradeVolume"}
        assert ("size" in quote["entries"]["Bid"]) == (how == "whole")
