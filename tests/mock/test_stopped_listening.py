"""A broker that stops listening knows each connection that it took, and no other one stays open."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator

import pytest
from brokercert_mock import TradovateBroker

WITHIN = 5.0  # seconds for an end that ought to come at once
TURNS = range(8)  # of the loop, between the connect and the stop: it is accepted and wrapped in these


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """What only the collector ends, some time, has not been ended."""
    gc.disable()
    yield
    gc.enable()


async def over(client: socket.socket) -> bool:
    """Whether it has ended, by FIN or by RST, within that time."""
    try:
        async with asyncio.timeout(WITHIN):
            return not await asyncio.get_running_loop().sock_recv(client, 1)
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.asyncio
@pytest.mark.parametrize("turns", TURNS)
@pytest.mark.parametrize("how", ["refuse_port", "leave_unanswered", "close"])
async def test_a_connection_of_that_moment_is_the_brokers_or_is_over(how: str, turns: int) -> None:
    broker = TradovateBroker()
    await broker.start()
    clients = [socket.create_connection(("127.0.0.1", broker.port)) for _ in range(3)]
    try:
        for client in clients:
            client.setblocking(False)
        for _ in range(turns):
            await asyncio.sleep(0)
        await getattr(broker, how)()
        known = 0 if how == "close" else len(broker.connections)
        assert known in (0, len(clients)), "they came together"
        if not known:
            assert [await over(client) for client in clients] == [True] * len(clients)
    finally:
        for client in clients:
            client.close()
        await broker.close()
