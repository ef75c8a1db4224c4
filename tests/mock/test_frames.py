"""The legal shapes of the broker's frames: in parts, with a ping between, and compressed (RFC 6455 §5.4, RFC 7692)."""

import json
from decimal import Decimal

import pytest
from brokercert.trace import records as r
from brokercert_mock import Settings
from mock_bench import Bench, running
from websockets.asyncio.client import connect

pytestmark = pytest.mark.asyncio

TEXT = "a" + "ż🚦" * 40  # no length of a frame is one of its characters


@pytest.mark.parametrize("most", [1, 2, 7, 100, 1000])
async def test_a_text_in_parts_is_one_message_and_one_record(bench: Bench, most: int) -> None:
    async with bench.socket() as ws:
        assert await ws.recv() == "o"
        conn = bench.broker.connections[0]
        conn.in_parts(most)
        conn.send_text(TEXT)
        conn.send_text("")
        conn.in_parts(0)
        conn.send_text(TEXT)
        assert [await ws.recv() for _ in range(3)] == [TEXT, "", TEXT]
        await bench.wait(lambda: most == 1000 or conn.pongs)
    told = [x for x in bench.frames("broker") if x.text == TEXT]
    size = len(TEXT.encode())
    assert [x.fragments for x in told] == [-(-size // most), 1]
    assert [x.name for x in bench.of(r.RuleApplied)] == ["in-parts", "in-parts"]


async def test_a_part_ends_within_a_character_and_a_ping_stands_between(bench: Bench) -> None:
    async with bench.socket() as ws:
        assert await ws.recv() == "o"
        bench.broker.connections[0].in_parts(2)
        bench.broker.connections[0].send_text("ż🚦")
        assert [part async for part in ws.recv_streaming()] == ["ż", "", "🚦"]
    pings = [x for x in bench.frames("broker") if x.opcode == 9]
    assert len(pings) == 1


@pytest.mark.parametrize("accepts", [True, False])
async def test_an_offer_of_deflate_is_accepted_where_that_is_the_setting(accepts: bool) -> None:
    async with running(Settings(deflate=accepts)) as bench:
        async with connect(bench.broker.url, proxy=None, ping_interval=None) as ws:
            assert await ws.recv() == "o"
            agreed = "permessage-deflate" in (ws.response.headers.get("Sec-WebSocket-Extensions") or "")
            assert agreed == accepts
            conn = bench.broker.connections[0]
            conn.in_parts(50)
            for text in (TEXT, "h", TEXT):
                conn.send_text(text)
                assert await ws.recv() == text
            await ws.send(f"authorize\n1\n\n{bench.broker.issue_token().access}")
            assert await ws.recv() == 'a[{"s":200,"i":1}]'
        assert any("authorize" in (x.text or "") for x in bench.frames("client"))


async def test_without_an_offer_nothing_is_compressed() -> None:
    async with running(Settings(deflate=True)) as bench, bench.socket() as ws:
        assert await ws.recv() == "o"
        assert "Sec-WebSocket-Extensions" not in ws.response.headers


async def test_white_space_and_another_order_change_no_message(bench: Bench) -> None:
    async with bench.socket() as ws:
        assert await ws.recv() == "o"
        conn = bench.broker.connections[0]
        for spaced in (True, False):
            conn.in_spaces(spaced)
            conn.send_event("props", {"text": TEXT, "price": Decimal("0.10")})
        first, second = [str(await ws.recv()) for _ in range(2)]
    assert first.startswith("a[\n") and list(json.loads(first[1:])[0]) == ["d", "e"] and "0.10" in first
    assert second.startswith('a[{"e"') and json.loads(first[1:]) == json.loads(second[1:])
    assert [x.name for x in bench.of(r.RuleApplied)] == ["in-spaces", "in-spaces"]
