"""A name is served on each of its addresses, in every state of the port; where it cannot be, a sentence says so."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import pytest
from brokercert_mock import Settings, TradovateBroker
from brokercert_mock.port import addresses
from brokercert_mock.port.addresses import AddressError, bound, bound_to_all, loopback_of
from mock_bench import Bench, running

pytestmark = pytest.mark.asyncio
TWO = ("127.0.0.1", "127.0.0.2")  # each system has them, with IPv6 or without


def name_leads_to(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    real = socket.getaddrinfo

    def looked_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host != "localhost":
            return real(host, port, *rest, **more)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 0)) for a in found]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


def fails_at(monkeypatch: pytest.MonkeyPatch, address: str, number: int) -> None:
    def refusing(where: str, port: int) -> socket.socket:
        if where == address:
            raise OSError(number, os.strerror(number))
        return bound(where, port)

    monkeypatch.setattr(addresses, "bound", refusing)


async def state_of(address: str, port: int) -> str:
    with socket.socket() as client:
        client.setblocking(False)
        try:
            async with asyncio.timeout(0.3):
                await asyncio.get_running_loop().sock_connect(client, (address, port))
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "unanswered"
    return "open"


async def states(bench: Bench, where: Sequence[str] = TWO) -> set[str]:
    return {await state_of(address, bench.broker.port) for address in where}


async def test_each_address_of_the_name_has_the_port_in_each_of_its_states(monkeypatch: pytest.MonkeyPatch) -> None:
    name_leads_to(monkeypatch, *reversed(TWO))
    async with running(Settings(tls=True)) as bench:
        assert bench.broker.addresses == TWO and bench.broker.url.startswith("wss://localhost:")
        assert await states(bench) == {"open"}
        await bench.broker.refuse_port()
        assert await states(bench) == {"refused"}
        await bench.broker.accept_again()
        assert await states(bench) == {"open"}
        await bench.broker.leave_unanswered()
        assert await states(bench) == {"unanswered"}
        await bench.broker.accept_again()
        assert await states(bench) == {"open"}
    assert await states(bench) == {"refused"}


async def test_a_client_is_one_machines_whatever_address_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    name_leads_to(monkeypatch, *TWO)
    async with running(Settings(tls=True)) as bench:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        ends = [await asyncio.open_connection(address, bench.broker.port, ssl=trusting) for address in TWO]
        await bench.wait(lambda: len(bench.broker.connections) == len(TWO))
        assert {conn.address for conn in bench.broker.connections} == {"127.0.0.1"}
        for _, writer in ends:
            writer.close()
            await writer.wait_closed()


async def test_a_broker_that_is_reached_by_number_looks_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    name_leads_to(monkeypatch)
    async with running() as bench:
        assert bench.broker.addresses == ("127.0.0.1",)


async def test_an_address_that_this_machine_lacks_is_left_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    name_leads_to(monkeypatch, "::1", "127.0.0.1")
    for number in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        fails_at(monkeypatch, "::1", number)
        assert await loopback_of("localhost") == (["127.0.0.1"], ["::1"])


@pytest.mark.parametrize(
    ("found", "number", "words"),
    [
        ((), 0, ("has no address", "127.0.0.1 localhost")),
        (("192.0.2.7", "127.0.0.1"), 0, ("192.0.2.7", "loopback addresses alone", "hosts file")),
        (("::1",), errno.EADDRNOTAVAIL, ("::1", "does not have", "enable IPv6")),
        (("::1", "127.0.0.1"), errno.EACCES, ("::1", "nothing can listen", os.strerror(errno.EACCES))),
    ],
    ids=["no address", "another machine's", "none that this machine has", "one that may not be listened on"],
)
async def test_a_name_that_cannot_be_served_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, found: tuple[str, ...], number: int, words: tuple[str, ...]
) -> None:
    name_leads_to(monkeypatch, *found)
    if number:
        fails_at(monkeypatch, "::1", number)
    with pytest.raises(AddressError) as error:
        await loopback_of("localhost")
    assert all(word in str(error.value) for word in ("localhost", "expected", *words))


async def test_a_port_is_taken_that_is_free_on_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def often_taken(address: str, port: int) -> socket.socket:
        if address == TWO[1]:
            tries.append(port)
            if len(tries) < 3:
                raise OSError(errno.EADDRINUSE, "taken")
        return bound(address, port)

    monkeypatch.setattr(addresses, "bound", often_taken)
    made = bound_to_all(TWO)
    assert {one.getsockname()[1] for one in made} == {tries[-1]} and len(tries) == 3
    for one in made:
        one.close()


async def test_a_port_that_is_taken_everywhere_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((TWO[1], 0)) as other:
        with pytest.raises(OSError):
            for one in bound_to_all(TWO, other.getsockname()[1]):
                one.listen()
    monkeypatch.setattr(addresses, "TRIES", 2)
    fails_at(monkeypatch, TWO[1], errno.EADDRINUSE)
    with pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
        bound_to_all(TWO)


@pytest.mark.parametrize("steps", range(6))
async def test_a_start_that_is_cancelled_leaves_no_port_behind(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    name_leads_to(monkeypatch, *TWO)
    made: list[socket.socket] = []

    def kept(address: str, port: int) -> socket.socket:
        made.append(bound(address, port))
        return made[-1]

    monkeypatch.setattr(addresses, "bound", kept)
    broker = TradovateBroker(Settings(tls=True), seed=1)
    starting = asyncio.create_task(broker.start())
    for _ in range(steps):
        await asyncio.sleep(0.01 if steps < 3 else 0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await broker.close()
    assert all(one.fileno() == -1 for one in made)
