"""What only the embedded server promises: virtual time, repeatable draws, and an API that nothing freezes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import looptime
import pytest
from brokercert.toxiproxy.driver import Driver
from brokercert.toxiproxy.server import ToxiproxyServer


async def serve(handler: Callable[..., Any]) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def echo(kept: list[asyncio.StreamWriter]) -> Callable[..., Awaitable[None]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept.append(writer)
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    return handle


async def hits(seed: int) -> list[bool]:
    """Which of 30 connections a toxic of toxicity 0.5 takes hold of."""
    kept: list[asyncio.StreamWriter] = []
    upstream, port = await serve(echo(kept))
    found = []
    async with ToxiproxyServer(seed) as server:
        driver = Driver("127.0.0.1", server.port)
        proxy = await driver.create("p", f"127.0.0.1:{port}")
        await proxy.add("limit_data", "downstream", {"bytes": 0}, toxicity=0.5)
        for _ in range(30):
            reader, writer = await asyncio.open_connection(*proxy.listen)
            writer.write(b"x")
            async with asyncio.timeout(5):
                found.append(await reader.read(1) == b"")
            writer.transport.abort()
        await driver.close()
    upstream.close()
    for writer in kept:
        writer.transport.abort()
    await asyncio.sleep(0)
    return found


@pytest.mark.asyncio
async def test_seeded_toxicity_repeats() -> None:
    first = await hits(7)
    assert first == await hits(7)
    assert first != await hits(8)
    assert 0 < sum(first) < 30


def test_an_hour_of_latency_in_virtual_time() -> None:
    """The driver's worker thread, the server and the proxied link on one loop whose clock is virtual."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        kept: list[asyncio.StreamWriter] = []
        upstream, port = await serve(echo(kept))
        async with ToxiproxyServer() as server:
            driver = Driver("127.0.0.1", server.port)
            proxy = await driver.create("p", f"127.0.0.1:{port}")
            reader, writer = await asyncio.open_connection(*proxy.listen)
            writer.write(b"proof")
            assert await reader.readexactly(5) == b"proof"
            await proxy.add("latency", "downstream", {"latency": 3_600_000})
            began = loop.time()
            writer.write(b"late")
            assert await reader.readexactly(4) == b"late"
            assert loop.time() - began == pytest.approx(3600, abs=1)
            writer.close()
            await driver.close()
        upstream.close()
        for kept_writer in kept:
            kept_writer.transport.abort()
        await asyncio.sleep(0)

    loop = looptime.new_event_loop(noop_cycles=2)
    try:
        loop.run_until_complete(asyncio.wait_for(main(), 100_000))
    finally:
        loop.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x00\xa5\x01\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /proxies HTTP/x.y\r\n\r\n",
        b"POST /proxies HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /proxies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /proxies HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
        b"POST /proxies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n\xff{}",
        b"A" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_malformed_http_is_answered_or_ended_and_the_server_goes_on(raw: bytes) -> None:
    loop = asyncio.get_running_loop()
    raised: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: raised.append(context))
    async with ToxiproxyServer() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(raw)
        writer.write_eof()
        async with asyncio.timeout(5):
            answer = await reader.read()
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), answer[:80]
        writer.close()
        driver = Driver("127.0.0.1", server.port)
        assert await driver.version() == "2.12.0-embedded"
        await driver.close()
    assert not raised, raised


@pytest.mark.asyncio
async def test_a_client_that_does_not_read_cannot_freeze_the_api() -> None:
    """2.12.0 hangs for 25 s here, and then in every list of its proxies."""
    flooded = asyncio.Event()

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"x" * 1_000_000)
                if writer.transport.get_write_buffer_size() > 20_000_000:
                    flooded.set()
                    return
        finally:
            kept.append(writer)

    kept: list[asyncio.StreamWriter] = []
    upstream, port = await serve(flood)
    async with ToxiproxyServer() as server:
        driver = Driver("127.0.0.1", server.port)
        proxy = await driver.create("p", f"127.0.0.1:{port}")
        reader, writer = await asyncio.open_connection(*proxy.listen)
        async with asyncio.timeout(5):
            await flooded.wait()
            await proxy.add("latency", "downstream", {"latency": 10})
            await proxy.update("latency_downstream", {"latency": 20})
            assert len(await proxy.toxics()) == 1
            await proxy.remove("latency_downstream")
            await proxy.disable()
        writer.transport.abort()
        del reader
        await driver.close()
    upstream.close()
    for kept_writer in kept:
        kept_writer.transport.abort()
    await asyncio.sleep(0)
