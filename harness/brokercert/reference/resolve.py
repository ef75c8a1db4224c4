"""Names to addresses: by the name server that the client is given, else by the system. One UDP question, one deadline.

The system's resolver runs in a thread and cannot be cancelled; where a name server is given, it is not asked at all.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import struct

HEADER = struct.Struct("!6H")
RECURSION = 0x0100
FAILED = 0x000F
A, INTERNET = 1, 1
WITHIN = 2.0  # seconds for an answer; it is asked twice
TRIES = 2


class ResolveError(OSError):
    """The name has no address now."""


async def address_of(name: str, server: str, rng: random.Random) -> str:
    """The IPv4 address of `name` by `server` ("host:port"). A literal address is its own. Raises `ResolveError`."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    host, _, port = server.rpartition(":")
    for _ in range(TRIES):
        ident = rng.randrange(1 << 16)
        try:
            async with asyncio.timeout(WITHIN):
                return _read(await _ask(host, int(port), _query(ident, name)), ident, name)
        except TimeoutError:
            continue
    raise ResolveError(f"no answer from the name server for {name}")


async def _ask(host: str, port: int, query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    class Asking(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            if data[:2] == query[:2] and not answer.done():
                answer.set_result(data)

        def error_received(self, exc: Exception) -> None:
            if not answer.done():
                answer.set_exception(ResolveError(f"no name server: {exc}"))

    transport, _ = await loop.create_datagram_endpoint(Asking, remote_addr=(host, port))
    try:
        transport.sendto(query)
        return await answer
    finally:
        transport.close()


def _query(ident: int, name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    return HEADER.pack(ident, RECURSION, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, A, INTERNET)


def _read(data: bytes, ident: int, name: str) -> str:
    """The first address of a response. Raises `ResolveError` where there is none in it."""
    try:
        _, flags, questions, answers, *_ = HEADER.unpack_from(data)
        if flags & FAILED:
            raise ResolveError(f"{name} does not resolve (code {flags & FAILED})")
        place = HEADER.size
        for _ in range(questions):
            place = _after_name(data, place) + 4
        for _ in range(answers):
            place = _after_name(data, place)
            kind, family, _, length = struct.unpack_from("!HHIH", data, place)
            place += 10
            if (kind, family, length) == (A, INTERNET, 4):
                return str(ipaddress.IPv4Address(data[place : place + 4]))
            place += length
    except (struct.error, IndexError, ipaddress.AddressValueError) as error:
        raise ResolveError(f"an answer for {name} that cannot be read") from error
    raise ResolveError(f"{name} has no address")


def _after_name(data: bytes, place: int) -> int:
    while data[place]:
        if data[place] >= 0xC0:  # a pointer ends a name
            return place + 2
        place += 1 + data[place]
    return place + 1
