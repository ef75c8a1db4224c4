"""User sessions (TP §8): each login starts one, whose id commands carry; they can be read, and no sync has them."""

import json
from typing import Any

import pytest
from brokercert_mock import Settings
from mock_bench import Bench, running
from order_bench import ask, order
from test_takes_correct_clients import credentials, rest

pytestmark = pytest.mark.asyncio
REQUIRED = {"id", "userId", "startTime", "clientAppId"}


async def login(bench: Bench, **app: Any) -> tuple[str, int]:
    """The token of a login, and its session."""
    body = json.dumps(json.loads(credentials(bench)) | app).encode()
    status, _, answer = (await rest(bench, ("POST", "/v1/auth/accesstokenrequest", {}, body)))[0]
    assert status == 200
    token = bench.broker.tokens.find(answer["accessToken"])
    assert token is not None
    return token.access, token.session


async def get(bench: Bench, target: str, token: str) -> tuple[int, Any]:
    status, _, answer = (await rest(bench, ("GET", f"/v1/{target}", {"Authorization": f"Bearer {token}"}, b"")))[0]
    return status, answer


async def test_whoever_sent_a_command_can_be_read_over_the_socket(bench: Bench) -> None:
    by_hand = bench.broker.exchange.place(bench.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=5000)
    async with bench.authorized() as ws:
        placed = (await ask(ws, 2, "order/placeorder", order(bench)))["orderId"]
        sessions = await ask(ws, 3, "userSession/list", None)
        assert all(set(x) >= REQUIRED and x["userId"] == bench.broker.db.user_id for x in sessions)
        commands = bench.broker.db.entities["command"]
        carried = [commands[ident]["userSessionId"] for ident in (by_hand, placed)]
        assert [x["id"] for x in sessions] == carried, "the user's by hand, and the client's"
        others = {ident for kind, held in bench.broker.state().items() if kind != "userSession" for ident in held}
        assert not others & set(carried), "one counter numbers all entities"
        for number, (endpoint, body) in enumerate(
            (
                ("items", {"ids": carried}),
                ("deps", {"masterid": bench.broker.db.user_id}),
                ("ldeps", {"masterids": [bench.broker.db.user_id]}),
            )
        ):
            assert await ask(ws, 4 + number, f"usersession/{endpoint}", body) == sessions
        assert await ask(ws, 7, "userSession/item", {"id": carried[1]}) == sessions[1]
        assert "Not found" in await ask(ws, 8, "userSession/item", {"id": placed})


async def test_a_login_starts_one_a_renewal_does_not_and_rest_reads_them(bench: Bench) -> None:
    first, session = await login(bench, appId="Mine", appVersion=2)
    assert (await get(bench, "userSession/list", "nobody's"))[0] == 401
    status, told = await get(bench, f"userSession/item?id={session}", first)
    assert status == 200 and (told["appId"], told["ipAddress"]) == ("Mine", "127.0.0.1")
    assert "appVersion" not in told, "a version that is no text is no version"
    assert "endTime" not in told
    count = len(bench.broker.db.of("userSession"))
    await get(bench, "auth/renewaccesstoken", first)
    assert len(bench.broker.db.of("userSession")) == count
    assert (await login(bench))[1] > session and len(bench.broker.db.of("userSession")) == count + 1


async def test_one_that_a_later_one_ends_has_an_end() -> None:
    async with running(Settings(max_sessions=1)) as bench:
        _, first = await login(bench)
        token, second = await login(bench)
        _, sessions = await get(bench, "userSession/list", token)
        ended = {x["id"]: "endTime" in x for x in sessions}
        assert (ended[first], ended[second]) == (True, False)


@pytest.mark.parametrize("wanted", [{"entityTypes": ["userSession", "order"]}, {"users": [1]}])
async def test_no_sync_has_them(bench: Bench, wanted: dict[str, Any]) -> None:
    async with bench.authorized() as ws:
        snapshot = await ask(ws, 2, "user/syncrequest", wanted)
        assert snapshot["orders"] and "userSession" not in json.dumps(sorted(snapshot))
