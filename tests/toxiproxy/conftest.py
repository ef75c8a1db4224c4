"""The two servers that one contract holds for: the embedded one, and a real toxiproxy-server where there is one."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from brokercert.toxiproxy.choose import Chosen, choose, find_binary
from brokercert.toxiproxy.driver import Driver, ProxyHandle

WITHIN = 5.0  # seconds for anything that ought to happen at once
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest_asyncio.fixture(params=["embedded", "real"])
async def chosen(request: pytest.FixtureRequest) -> AsyncIterator[Chosen]:
    """A running server of either kind."""
    real = request.param == "real"
    if real and not os.environ.get("TOXIPROXY_URL") and find_binary() is None:
        pytest.skip("no real toxiproxy-server: neither TOXIPROXY_URL nor a binary on PATH or in .tools/")
    server = await choose(real_allowed=real)
    kept = server.driver
    if not real:  # a run asks it directly: the contract is of its HTTP API, by the vendor's library
        assert server.server is not None
        server.driver = Driver("127.0.0.1", server.server.port)
    try:
        assert server.kind == request.param, server.description
        yield server
    finally:
        await kept.close()
        await server.close()


@dataclass
class Wire:
    """A client's connection through a proxy and the upstream's end of it."""

    client: Ends
    upstream: Ends

    async def at_client(self, count: int = 65536, *, within: float = WITHIN) -> tuple[bytes | str, float]:
        return await read(self.client, count, within=within)

    async def at_upstream(self, count: int = 65536, *, within: float = WITHIN) -> tuple[bytes | str, float]:
        return await read(self.upstream, count, within=within)

    def send(self, data: bytes) -> None:
        self.client[1].write(data)

    def answer(self, data: bytes) -> None:
        self.upstream[1].write(data)

    async def prove(self) -> None:
        """Both directions pass data: what a test then sees is the toxic's doing."""
        for sent, got in ((self.client, self.upstream), (self.upstream, self.client)):
            sent[1].write(b"proof")
            assert await read(got, 5) == (b"proof", pytest.approx(0, abs=0.25))


@dataclass
class Bench:
    """A proxy in front of an upstream that accepts and keeps its connections."""

    driver: Driver
    proxy: ProxyHandle
    accepted: asyncio.Queue[Ends]
    upstream_port: int
    opened: list[Ends] = field(default_factory=list)

    async def connect(self, *, prove: bool = True) -> Wire:
        client = await asyncio.open_connection(*self.proxy.listen)
        self.opened.append(client)
        async with asyncio.timeout(WITHIN):
            wire = Wire(client, await self.accepted.get())
        if prove:
            await wire.prove()
        return wire


@pytest_asyncio.fixture
async def bench(chosen: Chosen) -> AsyncIterator[Callable[[], Awaitable[Bench]]]:
    """Makes benches, each with a proxy and an upstream of its own, so that waits can run side by side."""
    benches: list[Bench] = []
    servers: list[asyncio.Server] = []
    kept: list[Ends] = []

    async def make() -> Bench:
        accepted: asyncio.Queue[Ends] = asyncio.Queue()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            kept.append((reader, writer))
            accepted.put_nowait((reader, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        name = f"contract-{os.getpid()}-{time.monotonic_ns()}"
        made = Bench(chosen.driver, await chosen.driver.create(name, f"127.0.0.1:{port}"), accepted, port)
        benches.append(made)
        return made

    yield make
    for made in benches:
        known = await chosen.driver.ask("GET", "/proxies")
        if made.proxy.name in known:
            await made.proxy.destroy()
        kept.extend(made.opened)
    for server in servers:
        server.close()
    for _, writer in kept:
        writer.transport.abort()
    await asyncio.sleep(0)


async def read(end: Ends, count: int = 65536, *, within: float = WITHIN) -> tuple[bytes | str, float]:
    """What comes next, and after how many seconds: bytes (exactly `count` unless 65536), or EOF, RST, silence."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(within):
            data = await (end[0].read(count) if count == 65536 else end[0].readexactly(count))
        got: bytes | str = data or "EOF"
    except ConnectionResetError:
        got = "RST"
    except TimeoutError:
        got = "silence"
    except asyncio.IncompleteReadError as error:
        got = error.partial or "EOF"
    return got, loop.time() - began
