"""A client as a process: its reports on standard output, its commands on standard input, its good-bye on a signal."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from brokercert.reference.stdio import Printer, lines_of_stdin


class Client(Protocol):
    """What is run."""

    async def run(self) -> int: ...

    async def stop(self) -> None: ...


C = TypeVar("C", bound=Client)


async def serve(
    factory: Callable[[Mapping[str, str], Callable[[str], None]], C],
    commanded: Callable[[C], bool],
    on_line: Callable[[C, bytes], Awaitable[None]],
) -> int:
    """Run a client until SIGTERM, SIGINT or, where it is `commanded`, a line that ends it. Returns its exit status."""
    printer = Printer()
    client = factory(os.environ, printer.say)
    await printer.open()
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[None]] = set()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: stops.add(asyncio.create_task(client.stop())))

    async def listen() -> None:
        async for line in lines_of_stdin():
            await on_line(client, line)

    listening = asyncio.create_task(listen()) if commanded(client) else None
    try:
        return await client.run()
    finally:
        if listening is not None:
            listening.cancel()
        await printer.close()
