"""A broker on loopback, what it recorded, and a client's end of a socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from brokercert.trace import Header, TraceWriter
from brokercert.trace import records as r
from brokercert_mock import Settings, TradovateBroker
from websockets.asyncio.client import ClientConnection, connect

WITHIN = 5.0  # seconds: the deadline of every wait in these tests


def header() -> Header:
    return Header(
        format=1, tool="test", tier="real", clock="monotonic", source="mock", set_id="tradovate-stage2",
        set_version="1", set_hash="", scenario="test", exercises=(), path="direct", exclusive=False, seed=1,
        subject="test", level="wire", offers=(), absent={}, readings={}, limits={},
    )  # fmt: skip


class Bench:
    """A running broker with its records."""

    def __init__(self, broker: TradovateBroker, writer: TraceWriter) -> None:
        self.broker, self.writer = broker, writer

    def of(self, kind: type[Any]) -> list[Any]:
        return [x for x in self.writer.records if isinstance(x, kind)]

    def frames(self, sender: str) -> list[r.Frame]:
        return [x for x in self.of(r.Frame) if x.sender == sender]

    async def wait(self, condition: Any) -> None:
        assert await self.broker.wait(lambda _: bool(condition()), WITHIN), "it did not happen"

    @asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator[ClientConnection]:
        async with asyncio.timeout(WITHIN * 3):
            async with connect(
                self.broker.url, proxy=None, ping_interval=None, close_timeout=1, compression=None, **options
            ) as ws:
                yield ws

    @asynccontextmanager
    async def authorized(self) -> AsyncIterator[ClientConnection]:
        async with self.socket() as ws:
            assert await ws.recv() == "o"
            await ws.send(f"authorize\n1\n\n{self.broker.issue_token().access}")
            assert await reply(ws, 1) == {"s": 200, "i": 1}
            yield ws


@asynccontextmanager
async def running(settings: Settings | None = None, **options: Any) -> AsyncIterator[Bench]:
    writer = TraceWriter(None, header(), began=asyncio.get_running_loop().time())
    broker = TradovateBroker(settings=settings, recorder=writer, **options)
    await broker.start()
    try:
        yield Bench(broker, writer)
        assert not broker.script_errors, broker.script_errors
    finally:
        await broker.close()


async def messages(ws: ClientConnection) -> list[Any]:
    """The elements of the next `a[...]` frame."""
    while True:
        text = await asyncio.wait_for(ws.recv(), WITHIN)
        assert isinstance(text, str)
        if text.startswith("a"):
            elements: list[Any] = json.loads(text[1:])
            return elements


async def reply(ws: ClientConnection, ident: int) -> dict[str, Any]:
    """The answer to a request."""
    while True:
        for message in await messages(ws):
            if message.get("i") == ident:
                return dict(message)
