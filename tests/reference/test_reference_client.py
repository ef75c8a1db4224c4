"""The shell against a scripted server, in virtual time: minutes of a client's life in a fraction of a second."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from brokercert.reference.tradovate import Config
from brokercert.reference.tradovate.config import ConfigError
from scripted_server import Broker, Socket, in_virtual_time, nothing, reset, start


def test_it_logs_in_syncs_beats_and_leaves_with_a_close_frame() -> None:
    async def play(broker: Broker) -> None:
        life = start(broker)
        await asyncio.sleep(61)
        (socket,) = broker.sockets
        assert socket.endpoints() == ["authorize", "user/syncrequest"]
        assert socket.requests[0][3] == "tok-given"
        sync = json.loads(socket.requests[1][3])
        assert (
            sync["splitResponses"] is True
            and "order" in sync["entityTypes"]
            and set(sync)
            == {
                "splitResponses",
                "entityTypes",
            }
        )
        assert life.client.stores[0].entities["order"][7]["ordStatus"] == "Working"
        assert len(socket.beats) == 24
        assert all(2.4 < after - before < 2.6 for before, after in itertools.pairwise(socket.beats))
        head = socket.ws.request.headers
        assert "Sec-WebSocket-Extensions" not in head and "tok-given" not in str(socket.ws.request.path)
        assert await life.stop() == 0
        assert socket.ws.close_code == 1000 and len(broker.attempts) == 1

    in_virtual_time(play)


async def _fin(socket: Socket) -> None:
    socket.ws.transport.close()


async def _protocol_close(socket: Socket) -> None:
    await socket.ws.send('c[1001,"going"]')


LOSSES: dict[str, Callable[[Socket], Awaitable[None]]] = {
    "rst": reset,
    "fin": _fin,
    "c[...]": _protocol_close,
    **{str(code): lambda socket, code=code: socket.ws.close(code) for code in (1000, 1001, 1011, 1012)},
}


@pytest.mark.parametrize("how", LOSSES)
def test_after_a_loss_it_is_back_within_a_second_with_one_login_and_one_sync(how: str) -> None:
    async def play(broker: Broker) -> None:
        life = start(broker)
        await asyncio.sleep(5)
        lost = asyncio.get_running_loop().time()
        await LOSSES[how](broker.sockets[0])
        await asyncio.sleep(30)
        old, new = broker.sockets
        assert broker.attempts[1] - lost < 1.5  # 0.5 s of back-off, and a second for a close nobody answers
        assert new.endpoints() == ["authorize", "user/syncrequest"]
        assert old.closed is not None and len(old.requests) == 2
        assert await life.stop() == 0

    in_virtual_time(play)


def test_a_live_socket_that_falls_silent_is_closed_with_4000_and_replaced() -> None:
    async def nothing_sent(text: Any) -> None:
        """The heartbeat of a server that has lost its voice."""

    async def play(broker: Broker) -> None:
        life = start(broker)
        await asyncio.sleep(1)
        (socket,) = broker.sockets
        socket.ws.send = nothing_sent  # type: ignore[method-assign]
        await asyncio.sleep(12)
        assert 10 < broker.attempts[1] < 11  # the snapshot, within the first millisecond, was heard last
        assert socket.ws.close_code == 4000
        assert broker.sockets[1].endpoints() == ["authorize", "user/syncrequest"]
        assert await life.stop() == 0

    in_virtual_time(play)


def test_each_shard_has_a_socket_and_a_remainder_of_its_own() -> None:
    async def play(broker: Broker) -> None:
        life = start(broker, BROKERCERT_SHARDS="3")
        await asyncio.sleep(5)
        shards = [json.loads(socket.requests[1][3])["shardingExpression"] for socket in broker.sockets]
        assert {shard["remainder"] for shard in shards} == {0, 1, 2}
        assert all((shard["expressionType"], shard["divisor"]) == ("modAccountId", 3) for shard in shards)
        await reset(broker.sockets[1])
        await asyncio.sleep(5)
        assert len(broker.sockets) == 4 and [bool(socket.closed) for socket in broker.sockets] == [0, 1, 0, 0]
        again = json.loads(broker.sockets[3].requests[1][3])["shardingExpression"]
        assert again == json.loads(broker.sockets[1].requests[1][3])["shardingExpression"]
        assert await life.stop() == 0
        assert all(socket.ws.close_code == 1000 for socket in (broker.sockets[0], *broker.sockets[2:]))

    in_virtual_time(play)


def test_a_snapshot_of_many_mebibytes_is_taken() -> None:
    async def play(broker: Broker) -> None:
        big = {"users": [{"id": 1}], "orders": [{"id": n, "text": "x" * 1000} for n in range(9000)]}
        broker.answers["user/syncrequest", 1] = lambda socket, ident: socket.reply(ident, big)
        life = start(broker)
        await asyncio.sleep(30)
        assert len(broker.sockets) == 1 and len(life.client.stores[0].entities["order"]) == 9000
        assert await life.stop() == 0

    in_virtual_time(play)


def test_a_user_may_ask_and_listen() -> None:
    async def play(broker: Broker) -> None:
        heard: list[str] = []
        broker.answers["account/list", 1] = lambda socket, ident: socket.reply(ident, [{"id": 25}])
        life = start(broker, lambda kind, data: heard.append(kind))
        with pytest.raises(ConnectionError):
            await life.client.request("account/list")
        await asyncio.sleep(1)
        outcome = await life.client.request("account/list", query="a=1", body={"b": 2})
        assert outcome.ok and outcome.data == [{"id": 25}]
        assert broker.sockets[0].requests[-1][1:] == ("account/list", 2, '{"b":2}')
        await broker.sockets[0].ws.send('a[{"e":"clock","d":"{}"},{"e":"props","d":{}}]')
        await asyncio.sleep(1)
        assert heard == ["clock", "props"]
        broker.answers["account/list", 1] = nothing
        assert (await life.client.request("account/list")).status == 0
        assert await life.stop() == 0

    in_virtual_time(play)


def test_a_request_whose_socket_is_lost_ends() -> None:
    async def play(broker: Broker) -> None:
        broker.answers["account/list", 1] = nothing
        life = start(broker)
        await asyncio.sleep(1)
        asking = asyncio.create_task(life.client.request("account/list"))
        await asyncio.sleep(1)
        await reset(broker.sockets[0])
        try:
            async with asyncio.timeout(120):
                outcome = await asking
            assert not outcome.ok
        finally:
            await life.stop()

    in_virtual_time(play)


@pytest.mark.parametrize("missing", ["BROKERCERT_URL", "BROKERCERT_REST_URL"])
def test_an_environment_that_lacks_something_is_named(missing: str) -> None:
    env = {"BROKERCERT_URL": "ws://127.0.0.1:9/", "BROKERCERT_REST_URL": "http://127.0.0.1:9"}
    del env[missing]
    with pytest.raises(ConfigError, match=missing):
        Config.from_environment(env)


@pytest.mark.parametrize("shards", ["0", "51", "-1", "two", "1.5"])
def test_a_number_of_shards_that_is_none_is_refused(shards: str) -> None:
    env = {"BROKERCERT_URL": "ws://x", "BROKERCERT_REST_URL": "http://x", "BROKERCERT_SHARDS": shards}
    with pytest.raises(ConfigError, match="BROKERCERT_SHARDS"):
        Config.from_environment(env)
