"""What a correct client may do and a strict mock would refuse: each was met in a real client."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import h11
import pytest
from brokercert.trace import records as r
from brokercert_mock import Settings
from mock_bench import Bench, messages, reply, running
from websockets.frames import Frame, Opcode

pytestmark = pytest.mark.asyncio


async def raw(bench: Bench) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", bench.broker.port)


def upgrade(bench: Bench, *extra: str, key: str = "dGhlIHNhbXBsZSBub25jZQ==") -> bytes:
    lines = [
        "GET /v1/websocket HTTP/1.1",
        f"Host: 127.0.0.1:{bench.broker.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *extra,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def head(reader: asyncio.StreamReader) -> str:
    return (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()


def frame(text: str, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return Frame(opcode, text.encode(), fin=fin).serialize(mask=True)


@pytest.mark.parametrize("endpoint", ["user/syncrequest", "user/syncRequest", "USER/SYNCREQUEST", "/user/syncRequest"])
async def test_an_endpoint_in_any_letter_case(bench: Bench, endpoint: str) -> None:
    async with bench.authorized() as ws:
        await ws.send(f'{endpoint}\n2\n\n{{"entityTypes":["order"]}}')
        answer = await reply(ws, 2)
        assert answer["s"] == 200 and answer["d"]["orders"]


async def test_a_pretty_printed_body_is_one_body(bench: Bench) -> None:
    async with bench.authorized() as ws:
        await ws.send("user/syncrequest\n2\n\n" + json.dumps({"entityTypes": ["order", "fill"]}, indent=2))
        assert set((await reply(ws, 2))["d"]) == {"orders", "fills", "users", "contractGroups"}


@pytest.mark.parametrize(
    "text", ["account/list\n{}\n", "account/list\n{}\n\n", "account/list\n{}\nundefined\nundefined"]
)
async def test_three_or_four_parts_and_the_word_undefined(bench: Bench, text: str) -> None:
    async with bench.authorized() as ws:
        await ws.send(text.format(7))
        assert len((await reply(ws, 7))["d"]) == 3


@pytest.mark.parametrize("ident", [0, 2**31 + 5, -4, 2**53])
async def test_any_integer_is_an_id(bench: Bench, ident: int) -> None:
    async with bench.authorized() as ws:
        await ws.send(f"account/list\n{ident}\n\n")
        assert (await reply(ws, ident))["s"] == 200


async def test_parameters_in_the_query_or_in_the_body(bench: Bench) -> None:
    ids = bench.broker.credentials.accounts[:2]
    async with bench.authorized() as ws:
        await ws.send(f"account/items\n2\nids={ids[0]},{ids[1]}\n")
        await ws.send(f"account/items\n3\n\n{json.dumps({'ids': list(ids)})}")
        first, second = await reply(ws, 2), await reply(ws, 3)
        assert [x["id"] for x in first["d"]] == [x["id"] for x in second["d"]] == list(ids)


@pytest.mark.parametrize("form", ["{}", '"{}"', '"{}"\n', "{}\n", " {} "])
async def test_the_token_raw_or_as_a_json_string(bench: Bench, form: str) -> None:
    async with bench.socket() as ws:
        await ws.send("authorize\n0\n\n" + form.format(bench.broker.issue_token().access))
        assert await reply(ws, 0) == {"s": 200, "i": 0}


async def test_the_market_data_token_authorizes_too(bench: Bench) -> None:
    async with bench.socket() as ws:
        await ws.send(f"authorize\n0\n\n{bench.broker.issue_token().md}")
        assert (await reply(ws, 0))["s"] == 200


@pytest.mark.parametrize("token", ["", '""', "nonsense", "{}"])
async def test_no_token_and_a_wrong_one_are_refused_and_the_socket_stays(bench: Bench, token: str) -> None:
    async with bench.socket() as ws:
        await ws.send(f"authorize\n0\n\n{token}")
        assert await reply(ws, 0) == {"s": 401, "i": 0, "d": "Invalid access token"}
        await ws.send("[]")
        await bench.wait(lambda: bench.broker.connections[0].heartbeats)


async def test_expired_and_revoked_tokens_are_refused(bench: Bench) -> None:
    expired, revoked = bench.broker.issue_token(), bench.broker.issue_token()
    bench.broker.expire(expired)
    bench.broker.revoke(revoked)
    async with bench.socket() as ws:
        for ident, token in enumerate((expired, revoked)):
            await ws.send(f"authorize\n{ident}\n\n{token.access}")
            assert (await reply(ws, ident))["s"] == 401


async def test_authorize_and_heartbeats_before_open(bench: Bench) -> None:
    hold = bench.broker.on_open().hold()
    async with bench.socket() as ws:
        await ws.send("[]")
        await (await ws.ping())
        await ws.pong(b"unsolicited")
        await ws.send(f"authorize\n0\n\n{bench.broker.issue_token().access}")
        assert (await reply(ws, 0))["s"] == 200
        hold.release()
        assert await ws.recv() == "o"


async def test_a_message_in_fragments_with_a_ping_between(bench: Bench) -> None:
    token = bench.broker.issue_token().access
    reader, writer = await raw(bench)
    writer.write(upgrade(bench))
    assert "101" in await head(reader)
    text = f"authorize\n0\n\n{token}"
    writer.write(frame(text[:9], fin=False) + frame("", Opcode.CONT, fin=False) + frame("hi", Opcode.PING))
    writer.write(frame(text[9:20], Opcode.CONT, fin=False) + frame(text[20:], Opcode.CONT))
    await bench.wait(lambda: bench.broker.connections[0].authorized_at)
    message = next(x for x in bench.frames("client") if x.opcode == 1)
    assert message.fragments == 4 and message.text == "authorize\n0\n\n«access-token#1»"
    assert any(x.opcode == 10 and x.text == "hi" for x in bench.frames("broker"))
    writer.close()


async def test_a_head_in_several_segments_and_first_frames_in_its_segment(bench: Bench) -> None:
    reader, writer = await raw(bench)
    data = upgrade(bench)
    for start in range(0, len(data), 20):
        writer.write(data[start : start + 20])
        await writer.drain()
    assert "101" in await head(reader)
    writer.close()
    reader, writer = await raw(bench)
    writer.write(upgrade(bench) + frame("[]"))
    await bench.wait(lambda: any(c.heartbeats for c in bench.broker.connections))
    writer.close()


@pytest.mark.parametrize(
    "extra",
    [
        ("connection: keep-alive, Upgrade",),
        ("Origin: null",),
        ("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",),
        ("upgrade: WebSocket",),
    ],
)
async def test_odd_upgrade_heads_are_taken_and_compression_declined(bench: Bench, extra: tuple[str, ...]) -> None:
    names = {line.split(":")[0].lower() for line in extra}
    reader, writer = await raw(bench)
    lines = upgrade(bench).decode().split("\r\n")
    lines = [line for line in lines if line.split(":")[0].lower() not in names]
    writer.write("\r\n".join([*lines[:-2], *extra, "", ""]).encode())
    answer = await head(reader)
    assert answer.startswith("HTTP/1.1 101") and "deflate" not in answer.lower()
    writer.close()


async def rest(bench: Bench, *requests: tuple[str, str, dict[str, str], bytes]) -> list[tuple[int, str, Any]]:
    """Requests on one kept-alive connection: (status, content type, body) of each."""
    reader, writer = await raw(bench)
    connection = h11.Connection(h11.CLIENT)
    result = []
    for method, target, headers, body in requests:
        chunked = "Transfer-Encoding" in headers
        all_headers = {"Host": "x", **headers} | ({} if chunked else {"Content-Length": str(len(body))})
        writer.write(
            connection.send(h11.Request(method=method, target=target, headers=list(all_headers.items()))) or b""
        )
        for part in (body[:5], body[5:]):
            writer.write(connection.send(h11.Data(data=part)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        status, kind, data = 0, "", b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await asyncio.wait_for(reader.read(65536), 5))
            elif isinstance(event, h11.Response):
                status = event.status_code
                kind = dict(event.headers).get(b"content-type", b"").decode()
            elif isinstance(event, h11.Data):
                data += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
        result.append((status, kind, json.loads(data) if kind == "application/json" else data.decode()))
        connection.start_next_cycle()
    writer.close()
    return result


def credentials(bench: Bench) -> bytes:
    who = bench.broker.credentials
    return json.dumps({"name": who.name, "password": who.password, "cid": who.cid, "sec": who.sec}).encode()


async def test_rest_logs_in_keeps_alive_takes_chunks_and_any_letter_case(bench: Bench) -> None:
    chunked = {"Transfer-Encoding": "chunked", "Upgrade": "h2c", "Connection": "keep-alive, Upgrade"}
    answers = await rest(
        bench,
        ("POST", "/v1/auth/accessTokenRequest", {}, credentials(bench)),
        ("POST", "/v1/AUTH/ACCESSTOKENREQUEST", chunked, credentials(bench)),
    )
    for status, _, body in answers:
        assert status == 200 and body["userId"] == bench.broker.db.user_id and body["mdAccessToken"]
        left = datetime.fromisoformat(body["expirationTime"]) - datetime.now(UTC)
        assert 4700 < left.total_seconds() < 4900
    first, second = (body["accessToken"] for _, _, body in answers)
    assert first != second
    bearer = {"Authorization": f"Bearer {second}"}
    renewed, listed, denied = await rest(
        bench,
        ("GET", "/v1/auth/renewaccesstoken", bearer, b""),
        ("GET", "/v1/account/list", bearer, b""),
        ("GET", "/v1/account/list", {"Authorization": "Bearer wrong"}, b""),
    )
    assert renewed[0] == 200 and renewed[2]["accessToken"] not in (first, second)
    assert len(listed[2]) == 3 and denied[0] == 401


@pytest.mark.parametrize(("mode", "status", "kind"), [("200", 200, "application/json"), ("401", 401, "text/plain")])
async def test_a_failed_login_as_json_or_as_text(mode: Any, status: int, kind: str) -> None:
    async with running(Settings(login_errors=mode)) as bench:
        answer = (await rest(bench, ("POST", "/v1/auth/accesstokenrequest", {}, b'{"name":"x","password":"y"}')))[0]
        assert answer[0] == status and answer[1].startswith(kind)


async def test_tokens_have_every_character_of_bearer_syntax(bench: Bench) -> None:
    token = bench.broker.issue_token().access
    assert all(mark in token for mark in "-._~+/") and token.endswith("=")


@pytest.mark.parametrize("kind", ["account", "contract", "order", "position", "fill", "product", "user"])
async def test_read_endpoints_over_the_socket(bench: Bench, kind: str) -> None:
    async with bench.authorized() as ws:
        await ws.send(f"{kind}/list\n2\n\n")
        listed = (await reply(ws, 2))["d"]
        assert listed
        await ws.send(f"{kind}/item\n3\nid={listed[0]['id']}\n")
        assert (await reply(ws, 3))["d"] == listed[0]
        await ws.send(f"{kind}/item\n4\nid=1\n")
        missing = await reply(ws, 4)
        assert missing["s"] == 404 and isinstance(missing["d"], str)


async def test_dependents_and_names(bench: Bench) -> None:
    account = bench.broker.credentials.accounts[0]
    async with bench.authorized() as ws:
        await ws.send(f"cashBalance/deps\n2\nmasterid={account}\n")
        assert [x["accountId"] for x in (await reply(ws, 2))["d"]] == [account]
        await ws.send("contract/find\n3\nname=ESH6\n")
        assert (await reply(ws, 3))["d"]["name"] == "ESH6"
        await ws.send("contract/suggest\n4\nt=N&l=1\n")
        assert len((await reply(ws, 4))["d"]) == 1
        await ws.send(f"userProperty/deps\n5\nmasterid={bench.broker.db.user_id}\n")
        assert len((await reply(ws, 5))["d"]) == 1


@pytest.mark.parametrize(
    ("quoted", "text"), [(False, "Not found: quote/subscribe"), (True, '"Not found: quote/subscribe"')]
)
async def test_an_unknown_endpoint_is_404_in_either_observed_form(quoted: bool, text: str) -> None:
    async with running(Settings(not_found_quoted=quoted)) as bench, bench.authorized() as ws:
        await ws.send("quote/subscribe\n9\n\n")
        assert await reply(ws, 9) == {"s": 404, "i": 9, "d": text}


async def test_sockets_of_one_user_live_together_with_filters_of_their_own(bench: Bench) -> None:
    async with bench.authorized() as first, bench.authorized() as second:
        for remainder, ws in enumerate((first, second)):
            shard = {"expressionType": "modAccountId", "divisor": 2, "remainder": remainder}
            body = {"splitResponses": True, "entityTypes": ["account", "cashBalances"], "shardingExpression": shard}
            await ws.send(f"user/syncrequest\n2\n\n{json.dumps(body)}")
        snapshots = [(await reply(ws, 2))["d"] for ws in (first, second)]
        accounts = [{x["id"] for x in s["accounts"]} for s in snapshots]
        assert not accounts[0] & accounts[1]
        assert accounts[0] | accounts[1] == set(bench.broker.credentials.accounts)
        assert all(x["accountId"] in accounts[0] for x in snapshots[0]["cashBalances"])


async def test_accounts_satisfy_the_older_schema_too(bench: Bench) -> None:
    async with bench.authorized() as ws:
        await ws.send("account/list\n2\n\n")
        for account in (await reply(ws, 2))["d"]:
            assert account["active"] is True and account["closed"] is False


async def test_the_legacy_filter_gets_every_type(bench: Bench) -> None:
    async with bench.authorized() as ws:
        await ws.send(f"user/syncrequest\n2\n\n{json.dumps({'users': [bench.broker.db.user_id]})}")
        assert len((await reply(ws, 2))["d"]) == 31


async def test_an_empty_filter_gets_next_to_nothing(bench: Bench) -> None:
    async with bench.authorized() as ws:
        await ws.send('user/syncrequest\n2\n\n{"splitResponses":true}')
        assert set((await reply(ws, 2))["d"]) == {"users", "contractGroups"}


async def test_a_second_socket_before_the_first_is_closed(bench: Bench) -> None:
    async with bench.authorized() as first:
        async with bench.authorized() as second:
            await first.close()
            await second.send("account/list\n5\n\n")
            assert (await reply(second, 5))["s"] == 200
    ends = [x for x in bench.of(r.Ended) if x.conn == 1]
    assert ends and ends[0].how == "fin"


async def test_heartbeats_come_only_when_nothing_else_was_sent() -> None:
    async with running(Settings(heartbeat_every=0.05, event_every=30)) as bench, bench.authorized() as ws:
        began = time.monotonic()
        for _ in range(3):
            assert await ws.recv() == "h"
        assert time.monotonic() - began >= 0.1
        await ws.send('user/syncrequest\n2\n\n{"entityTypes":["cashBalance"]}')
        await reply(ws, 2)
        bench.broker.background(200)
        seen = [await ws.recv() for _ in range(30)]
        assert sum(text == "h" for text in seen) <= 1
        assert (await messages(ws))[0]["d"]["entityType"] == "cashBalance"
