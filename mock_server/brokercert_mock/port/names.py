"""A name server of the mock's own, on loopback: it knows one name, or says that it does not (RFC 1035, as far as that).

Whatever bytes come, nothing is raised: what is no query with one question is not answered.
"""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections.abc import Callable
from typing import Literal, cast

Mode = Literal["answer", "nxdomain", "servfail", "silent"]

HEADER = struct.Struct("!6H")  # id, flags, questions, answers, authorities, additionals
RESPONSE = 0x8180  # a response, recursion desired and available
FAILURES = {"nxdomain": 3, "servfail": 2}
A, INTERNET = 1, 1
LIFE = 0  # seconds that an answer may be kept: none, so that a change is seen


class NameServer(asyncio.DatagramProtocol):
    """Answers for `name` with a loopback address, in the way that `mode` says; `told` hears of every query."""

    def __init__(self, name: str, address: str, told: Callable[[str, str], None]) -> None:
        self.name = name
        self.mode: Mode = "answer"
        self._address = ipaddress.IPv4Address(address).packed
        self._told = told
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, host: str = "127.0.0.1") -> int:
        """Listen; the port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        return int(transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # the loop's own does not derive from it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    def answer(self, data: bytes) -> bytes | None:
        """The response to a query; None: it is not answered."""
        question = _question(data)
        if question is None:
            return None
        name, kind, end = question
        self._told(self.mode, name)
        if self.mode == "silent":
            return None
        ident = struct.unpack_from("!H", data)[0]
        asked = data[HEADER.size : end]
        failure = FAILURES.get(self.mode, 0) or (0 if name == self.name else FAILURES["nxdomain"])
        if failure or kind != A:  # any other type of a known name: no error, and no record
            return HEADER.pack(ident, RESPONSE | failure, 1, 0, 0, 0) + asked
        record = struct.pack("!HHHIH", 0xC00C, A, INTERNET, LIFE, len(self._address)) + self._address
        return HEADER.pack(ident, RESPONSE, 1, 1, 0, 0) + asked + record


def _question(data: bytes) -> tuple[str, int, int] | None:
    """(name in lower case, type, end) of a query's one question."""
    if len(data) < HEADER.size:
        return None
    _, flags, questions, *_ = HEADER.unpack_from(data)
    if flags & 0x8000 or questions != 1:
        return None
    labels: list[str] = []
    place = HEADER.size
    while place < len(data) and 0 < (length := data[place]) < 64:
        labels.append(data[place + 1 : place + 1 + length].decode("latin-1").lower())
        place += 1 + length
    if place + 5 > len(data) or data[place] != 0:
        return None
    return ".".join(labels), struct.unpack_from("!H", data, place + 1)[0], place + 5
