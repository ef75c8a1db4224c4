"""A proxy that stops ends every connection, whenever it was made: none stays open, and silent."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
from collections.abc import Iterator

import pytest
from brokercert.toxiproxy.proxy import Proxy

WITHIN = 5.0  # seconds for an end that ought to come at once
TURNS = range(8)  # of the loop, between the connect and the stop: it is accepted, wrapped and dialled in these


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """What only the collector ends, some time, has not been ended."""
    gc.disable()
    yield
    gc.enable()


async def upstream() -> asyncio.Server:
    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    return await asyncio.start_server(keep, "127.0.0.1", 0)


def connected(proxy: Proxy) -> socket.socket:
    """At once, without a turn of the loop: the system accepts it for whoever listens."""
    host, _, port = proxy.listen.rpartition(":")
    client = socket.create_connection((host, int(port)))
    client.setblocking(False)
    return client


async def ended(client: socket.socket) -> bool:
    try:
        async with asyncio.timeout(WITHIN):
            return not await asyncio.get_running_loop().sock_recv(client, 1)
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.asyncio
@pytest.mark.parametrize("again", [False, True], ids=["stays down", "is up again"])
@pytest.mark.parametrize("turns", TURNS)
async def test_a_connection_ends_with_the_proxy_that_took_it(turns: int, again: bool) -> None:
    server = await upstream()
    port = server.sockets[0].getsockname()[1]
    proxy = Proxy("stopped", "127.0.0.1:0", f"127.0.0.1:{port}", random.Random(1))
    await proxy.start()
    clients = [connected(proxy) for _ in range(3)]
    for _ in range(turns):
        await asyncio.sleep(0)
    await proxy.stop()
    if again:
        await proxy.start()
    try:
        assert [await ended(client) for client in clients] == [True] * len(clients)
    finally:
        for client in clients:
            client.close()
        await proxy.stop()
        server.close()
