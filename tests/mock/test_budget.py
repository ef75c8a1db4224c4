"""What a client may send is bounded, on a connection and in all; what any client needs is far below it."""

import asyncio
import zlib
from dataclasses import replace

import pytest
from brokercert.judge import violations
from brokercert.trace import records as r
from brokercert_mock import Settings
from brokercert_mock.port.budget import BEYOND, Allowance, Budget
from mock_bench import Bench, running
from test_shell import UPGRADE
from websockets.frames import Frame, Opcode

SMALL = Allowance(bytes=4_000, messages=20, bytes_a_second=100, messages_a_second=1)
LARGE = Allowance(bytes=10**9, messages=10**9, bytes_a_second=0, messages_a_second=0)
EACH = Settings(close_wait=0.05, each_may_send=SMALL)
ALL = Settings(close_wait=0.05, all_may_send=SMALL)
BOTH_LARGE = Settings(close_wait=0.05, each_may_send=LARGE, all_may_send=LARGE)
GET = b"GET /v1/account/list HTTP/1.1\r\nHost: x\r\n\r\n"


def framed(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=True)


def violations_of(bench: Bench) -> list[str]:
    return [one.text for one in bench.of(r.Violation)]


async def said(bench: Bench, data: bytes) -> bytes:
    """All that the broker answers on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.broker.port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("data", "end", "text"),
    [
        (UPGRADE + framed(b"x" * 3_000) * 2, b"\x88\x02" + (1009).to_bytes(2, "big"), "over 4000 bytes"),
        (UPGRADE + framed(b"[]") * 21, b"\x88\x02" + (1008).to_bytes(2, "big"), "over 20 messages"),
        (UPGRADE + framed(b"", Opcode.PONG) * 21, b"\x88\x02" + (1008).to_bytes(2, "big"), "over 20 messages"),
        (
            UPGRADE + framed(b"", fin=False) + framed(b"", Opcode.CONT, fin=False) * 20,
            b"\x88\x02" + (1008).to_bytes(2, "big"),
            "over 20 messages",
        ),
        (GET * 21, b"HTTP/1.1 429 ", "over 20 messages"),
        (GET[:-2] + b"X: " + b"y" * 5_000, b"HTTP/1.1 413 ", "over 4000 bytes"),
    ],
)
@pytest.mark.parametrize(("settings", "where"), [(EACH, "on one connection"), (ALL, "on all connections")])
async def test_beyond_it_the_broker_closes_and_says_so_once(
    data: bytes, end: bytes, text: str, settings: Settings, where: str
) -> None:
    async with running(settings) as bench:
        assert end in await said(bench, data)
        assert violations_of(bench) == [f"{BEYOND}: {text} {where}"]


@pytest.mark.asyncio
async def test_the_next_connection_has_its_own_but_not_what_all_have() -> None:
    async with running(EACH) as bench:
        await said(bench, GET * 21)
        assert b"429" not in await said(bench, GET + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    async with running(ALL) as bench:
        await said(bench, GET * 21)
        assert b"429" in await said(bench, GET * 2)


@pytest.mark.asyncio
async def test_a_message_above_the_largest_is_closed_with_1009() -> None:
    async with running(replace(BOTH_LARGE, max_body=1_000)) as bench:
        assert b"\x88\x02" + (1009).to_bytes(2, "big") in await said(bench, UPGRADE + framed(b"x" * 2_000))


@pytest.mark.asyncio
async def test_what_is_compressed_counts_as_what_comes_out() -> None:
    packer = zlib.compressobj(wbits=-15)
    small = (packer.compress(b"x" * 5_000) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(small) < 100
    offer = UPGRADE[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    frame = bytearray(framed(small))
    frame[0] |= 0x40
    async with running(replace(EACH, deflate=True)) as bench:
        assert b"\x88\x02" + (1009).to_bytes(2, "big") in await said(bench, offer + bytes(frame))


@pytest.mark.parametrize("hours", [1, 24, 240])
def test_a_client_that_goes_on_for_days_is_never_short(hours: int) -> None:
    """Heartbeats every second, and ten orders of 400 bytes each: more than any client sends."""
    now = [0.0]
    settings = Settings()
    both = [Budget(one, lambda: now[0]) for one in (settings.each_may_send, settings.all_may_send)]
    for second in range(0, hours * 3_600, 10):
        now[0] = second
        assert [one.take(10 * (8 + 10 * 400), 110) for one in both] == [None, None]


def test_what_was_refused_is_not_owed() -> None:
    now = [0.0]
    budget = Budget(SMALL, lambda: now[0])
    assert budget.take(10**9, 1) == "bytes"
    now[0] = 2.0
    assert (budget.take(150, 1), budget.take(150, 1)) == (None, "bytes")


def test_the_judge_knows_it_by_the_brokers_own_words() -> None:
    assert violations.BEYOND == BEYOND
