"""Quotas: off by default; over one the oldest goes, with its reason, a close and a revoked token."""

from contextlib import AsyncExitStack

import pytest
from brokercert.trace import records as r
from brokercert_mock import Settings
from mock_bench import Bench, messages, reply, running
from test_takes_correct_clients import credentials, rest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.asyncio
LEAD = 0.02  # seconds


async def authorize(bench: Bench, ws: ClientConnection) -> str:
    token = bench.broker.issue_token().access
    await ws.send(f"authorize\n1\n\n{token}")
    assert (await reply(ws, 1))["s"] == 200
    return token


async def is_shut_down(ws: ClientConnection, reason: str) -> None:
    assert await messages(ws) == [{"e": "shutdown", "d": {"reasonCode": reason}}]
    with pytest.raises(ConnectionClosed) as error:
        while True:
            await ws.recv()
    assert error.value.rcvd is not None and error.value.rcvd.code == 1001


async def status_of(bench: Bench, token: str) -> int:
    async with bench.socket() as ws:
        await ws.send(f"authorize\n1\n\n{token}")
        return int((await reply(ws, 1))["s"])


async def test_one_connection_too_many_ends_the_oldest_and_its_token() -> None:
    async with running(Settings(max_connections=2, shutdown_lead=LEAD)) as bench:
        async with (
            bench.socket() as unknown,
            bench.socket() as first,
            bench.socket() as second,
            bench.socket() as third,
        ):
            # The last to authorize was the first to connect: it is the newest all the same.
            tokens = [await authorize(bench, ws) for ws in (second, third, first)]
            first, second, third = second, third, first
            await is_shut_down(first, "ConnectionQuotaReached")
            for ws in (second, third):
                await ws.send("account/list\n5\n\n")
                assert (await reply(ws, 5))["s"] == 200
            assert await unknown.recv() == "o"  # nobody's connection counts for nobody
        assert await status_of(bench, tokens[0]) == 401
        assert await status_of(bench, tokens[1]) == 200
        assert [x.name for x in bench.of(r.RuleApplied)] == ["quota"]
        faults = [(x.name, x.conn) for x in bench.of(r.Fault)]
        assert faults == [("token-revoked", 0), ("shutdown", 3), ("close-1001", 3)]


async def test_an_address_too_many_ends_the_oldest_from_another() -> None:
    async with (
        running(Settings(max_addresses=1, shutdown_lead=LEAD)) as bench,
        bench.socket(local_addr=("127.0.0.2", 0)) as elsewhere,
        bench.socket() as first,
        bench.socket() as second,
    ):
        for ws in (first, second):
            await authorize(bench, ws)
        assert not bench.of(r.RuleApplied)
        await authorize(bench, elsewhere)
        for ws in (first, second):
            await is_shut_down(ws, "IPQuotaReached")
        await elsewhere.send("account/list\n5\n\n")
        assert (await reply(elsewhere, 5))["s"] == 200


@pytest.mark.parametrize("status", [408, 429, 500])
async def test_a_third_session_ends_the_first_and_a_renewal_starts_none(status: int) -> None:
    async with (
        running(Settings(max_sessions=2, evicted_session=status, shutdown_lead=LEAD)) as bench,
        bench.socket() as ws,
    ):  # type: ignore[arg-type]

        async def ask(target: str, token: str = "") -> tuple[int, dict[str, str]]:
            bearer = {"Authorization": f"Bearer {token}"} if token else {}
            answer = (await rest(bench, ("POST", target, bearer, b"" if token else credentials(bench))))[0]
            return answer[0], answer[2] if isinstance(answer[2], dict) else {}

        first = (await ask("/v1/auth/accesstokenrequest"))[1]["accessToken"]
        renewed = (await ask("/v1/auth/renewaccesstoken", first))[1]["accessToken"]
        await ws.send(f"authorize\n1\n\n{renewed}")
        assert (await reply(ws, 1))["s"] == 200
        second = (await ask("/v1/auth/accesstokenrequest"))[1]["accessToken"]
        assert (await ask("/v1/auth/me", first))[0] == (await ask("/v1/auth/me", second))[0] == 200
        await ask("/v1/auth/accesstokenrequest")
        await is_shut_down(ws, "ConnectionQuotaReached")
        assert [(await ask("/v1/auth/me", token))[0] for token in (first, renewed, second)] == [status, status, 200]
        assert (await ask("/v1/auth/renewaccesstoken", first))[0] == status


async def test_without_a_quota_nobody_is_ended(bench: Bench) -> None:
    async with AsyncExitStack() as stack:
        for number in range(3):
            ws = await stack.enter_async_context(bench.socket(local_addr=(f"127.0.0.{2 + number}", 0)))
            await authorize(bench, ws)
        await rest(bench, ("POST", "/v1/auth/accesstokenrequest", {}, credentials(bench)))
        assert len([x for x in bench.broker.connections if x.is_authorized]) == 3
    assert not bench.of(r.Fault)
