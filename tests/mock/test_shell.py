"""The shell: whatever bytes come, nothing is raised; TLS; the same seed says the same, byte for byte."""

import asyncio
import datetime
import json
import socket
import ssl
import struct
from pathlib import Path

import looptime
import msgspec
import pytest
from brokercert.trace import TraceWriter
from brokercert.trace import records as r
from brokercert_mock import Certificates, Settings, TradovateBroker
from brokercert_mock.port.tls import KINDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mock_bench import header, running
from websockets.asyncio.client import connect

UPGRADE = (
    b"GET /v1/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
BYTES = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=80).map(lambda data: UPGRADE + data),
    st.binary(max_size=40).map(lambda data: UPGRADE[:120] + data),
    st.text(max_size=60).map(lambda text: UPGRADE + _frame(text)),
    st.text(max_size=30).map(lambda text: UPGRADE + _frame(f"user/syncrequest\n{text}\n\n{text}")),
    st.text(max_size=30).map(lambda text: UPGRADE + _frame(f"authorize\n1\n{text}\n[{text}")),
)


def _frame(text: str) -> bytes:
    from websockets.frames import Frame, Opcode

    return Frame(Opcode.TEXT, text.encode("utf-8", "surrogatepass")).serialize(mask=True)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=BYTES, split=st.integers(1, 64))
def test_whatever_bytes_come_nothing_is_raised(data: bytes, split: int) -> None:
    async def scenario() -> None:
        async with running(Settings(close_wait=0.05)) as bench:
            for size in (len(data) or 1, split):  # whole, and in pieces
                reader, writer = await asyncio.open_connection("127.0.0.1", bench.broker.port)
                for start in range(0, len(data), size):
                    writer.write(data[start : start + size])
                writer.write_eof()
                while await asyncio.wait_for(reader.read(65536), 10):
                    pass
                writer.close()

    asyncio.run(scenario())


LAST = b"GET /v1/account/list HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 2),  # the first bytes of a client of HTTP/2
        (LAST + b"\x00\x01\r\n\r\n", 1),
        (LAST + LAST, 1),
        (LAST + UPGRADE, 1),
        (b"\x00\r\n\r\n" + LAST, 1),
    ],
)
async def test_nothing_is_written_after_our_own_fin(data: bytes, answers: int) -> None:
    """Neither at once nor when more comes later."""
    async with running(Settings(close_wait=0.05)) as bench:
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.broker.port)
        writer.write(data)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.write(data)
        assert answer.count(b"HTTP/1.1 ") == answers == len(bench.of(r.RestAnswer)) + len(bench.of(r.Violation))
        assert not bench.broker.script_errors
        writer.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [2, 100, 3000])
async def test_all_requests_of_one_segment_are_answered_and_the_next_too(count: int) -> None:
    one = LAST.replace(b"Connection: close\r\n", b"")
    async with running(Settings(close_wait=0.05)) as bench:
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.broker.port)
        writer.write(one * count)
        await bench.wait(lambda: len(bench.of(r.RestAnswer)) == count)
        writer.write(one)  # on the same connection, which is still one
        writer.write(LAST)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.count(b"HTTP/1.1 ") == count + 2 == len(bench.of(r.RestRequest))
        assert bench.of(r.Violation) == []
        writer.close()


@pytest.mark.asyncio
async def test_what_stands_behind_many_requests_is_one_violation() -> None:
    one = LAST.replace(b"Connection: close\r\n", b"")
    async with running(Settings(close_wait=0.05)) as bench:
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.broker.port)
        writer.write(one * 100 + b"\x00\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        assert (answer.count(b"HTTP/1.1 "), len(bench.of(r.Violation))) == (101, 1)
        writer.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "data",
    [
        b"\xc1\x81\x00\x00\x00\x00x",  # a reserved bit
        b"\x83\x80\x00\x00\x00\x00",  # an opcode that is none
        b"\x81\x01x",  # not masked
        b"\x81\x82\x00\x00\x00\x00\xc3\x28",  # text that is no UTF-8
    ],
)
async def test_a_violation_is_told_and_ends_the_connection(data: bytes) -> None:
    async with running(Settings(close_wait=0.05)) as bench:
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.broker.port)
        writer.write(UPGRADE + data)
        await bench.wait(lambda: bench.of(r.Violation))
        answer = await asyncio.wait_for(reader.read(65536), 5)
        while part := await asyncio.wait_for(reader.read(65536), 10):
            answer += part
        assert b"\x88\x02\x03\xea" in answer  # a close frame 1002
        writer.close()


@pytest.mark.asyncio
async def test_tls_with_a_trusted_leaf_and_three_that_must_be_refused(tmp_path: Path) -> None:
    certificates = Certificates()
    trusting = ssl.create_default_context(cafile=str(certificates.write_ca(tmp_path / "ca.pem")))
    broker = TradovateBroker()
    await broker.start(tls=certificates.context())
    async with connect(broker.url, ssl=trusting, proxy=None, ping_interval=None) as ws:
        assert await ws.recv() == "o"
    await broker.close()
    for kind in KINDS[1:]:
        certificates.kind = kind
        broker = TradovateBroker()
        await broker.start(tls=certificates.context())
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("localhost", broker.port, ssl=trusting)
        await broker.close()


def _virtual_trace(seed: int) -> bytes:
    """A minute of a plain client, in virtual time."""

    async def scenario() -> list[r.Body]:
        loop = asyncio.get_running_loop()
        writer = TraceWriter(None, header(), began=loop.time())
        start = datetime.datetime(2026, 1, 5, 14, 30, tzinfo=datetime.UTC)
        rules = Settings(auto_fill="partial then full")
        broker = TradovateBroker(rules, recorder=writer, seed=seed, wall_start=start)
        await broker.start()
        token = broker.issue_token()
        async with connect(broker.url, proxy=None, ping_interval=None, compression=None) as ws:
            await ws.recv()
            await ws.send(f"authorize\n0\n\n{token.access}")
            await ws.send('user/syncrequest\n1\n\n{"entityTypes":["cashBalance","position"]}')
            order = {"accountId": broker.credentials.accounts[0], "symbol": "ESH6", "action": "Buy", "orderQty": 3}
            await ws.send(f"order/placeorder\n2\n\n{json.dumps(order | {'orderType': 'Market'})}")
            async with asyncio.timeout(61.3):
                try:
                    while True:
                        await ws.recv()
                except asyncio.CancelledError:
                    pass
        await broker.close()
        return writer.records

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        records = runner.run(scenario())
    lines = [x for x in records if not isinstance(x, r.Head)]  # its key and port are the library's, not ours
    return b"\n".join(msgspec.json.encode(x) for x in lines if x.t < 60_000_000)


def test_the_same_seed_says_the_same_in_virtual_time() -> None:
    first = _virtual_trace(5)
    assert b"netPos" in first and first.count(b'"h"') > 5 and first.count(b"props") > 5
    assert first == _virtual_trace(5)
    assert first != _virtual_trace(6)


@pytest.mark.asyncio
async def test_a_client_that_resets_first_breaks_no_fault() -> None:
    """Its RST is in the kernel, not yet told, when the broker ends the connection too."""
    async with running() as bench:
        client = socket.create_connection(("127.0.0.1", bench.broker.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(UPGRADE)
        await bench.wait(lambda: bench.of(r.UpgradeAnswer))
        client.close()
        bench.broker.connections[0].fin()
        await bench.wait(lambda: not bench.broker.connections)
        assert bench.broker.script_errors == []
        assert bench.of(r.Ended)[0].how == "fin"
