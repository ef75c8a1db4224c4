"""The mock's name server and the reference client's resolver, which share no line; and whatever bytes come."""

from __future__ import annotations

import random

import pytest
from brokercert.reference.resolve import ResolveError, address_of
from brokercert_mock.port.names import NameServer

NAME = "broker.example"


@pytest.mark.asyncio
async def test_a_name_resolves_fails_and_resolves_again() -> None:
    heard: list[tuple[str, str]] = []
    server = NameServer(NAME, "127.0.0.1", lambda mode, name: heard.append((mode, name)))
    port = await server.start()
    where, dice = f"127.0.0.1:{port}", random.Random(1)
    try:
        assert await address_of(NAME, where, dice) == "127.0.0.1"
        assert await address_of("192.0.2.7", where, dice) == "192.0.2.7"  # an address is no question
        server.mode = "nxdomain"
        with pytest.raises(ResolveError, match="code 3"):
            await address_of(NAME, where, dice)
        server.mode = "servfail"
        with pytest.raises(ResolveError, match="code 2"):
            await address_of(NAME, where, dice)
        server.mode = "answer"
        with pytest.raises(ResolveError, match="code 3"):
            await address_of("elsewhere.example", where, dice)
        assert await address_of(NAME.upper(), where, dice) == "127.0.0.1"
    finally:
        server.close()
    assert [mode for mode, _ in heard] == ["answer", "nxdomain", "servfail", "answer", "answer"]


def test_bytes_that_are_no_question_are_not_answered() -> None:
    server = NameServer(NAME, "127.0.0.1", lambda mode, name: None)
    dice = random.Random(2)
    header = bytes.fromhex("0001 0100 0001 0000 0000 0000")
    assert server.answer(header + b"\x06broker\x07example\x00\x00\x01\x00\x01") is not None
    for text in (b"", header[:11], header, header + b"\x3fshort", header + b"\x06broker\xc0\x0c", b"\xff" * 40):
        assert server.answer(text) is None
    for _ in range(500):
        server.answer(header + dice.randbytes(dice.randrange(40)))
