"""What the embedded server does otherwise than 2.12.0, on purpose: docs/toxiproxy.md lists it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from brokercert.toxiproxy.choose import Chosen
from brokercert.toxiproxy.driver import ToxiproxyError


@pytest.mark.asyncio
@pytest.mark.parametrize("chosen", ["embedded"], indirect=True)
async def test_what_is_mended(chosen: Chosen, bench: Callable[[], Awaitable[Any]]) -> None:
    assert chosen.kind == "embedded"
    made = await bench()
    wire = await made.connect()

    for sizes, text in (
        ({}, "average_size must be"),
        ({"average_size": 4, "size_variation": 5}, "size_variation must"),
    ):
        with pytest.raises(ToxiproxyError, match=text):
            await made.proxy.add("slicer", "downstream", sizes)
    assert await made.proxy.toxics() == [], "a refused toxic is not there"

    await made.proxy.add("bandwidth", "downstream", {"rate": 0})
    wire.answer(b"x" * 5000)
    assert await wire.at_client(5000) == (b"x" * 5000, pytest.approx(0, abs=0.05))

    await made.proxy.add("latency", "downstream", {"latency": 200}, name="one")
    await made.proxy.add("latency", "downstream", {"latency": 100}, name="two")
    loop = asyncio.get_running_loop()
    wire.answer(b"1")
    began = loop.time()
    loop.call_later(0.1, wire.answer, b"2")
    assert await wire.at_client() == (b"1", pytest.approx(0.3, abs=0.03))
    assert (await wire.at_client())[0] == b"2"
    assert loop.time() - began == pytest.approx(0.4, abs=0.03), "two latencies add up, for what follows too"
