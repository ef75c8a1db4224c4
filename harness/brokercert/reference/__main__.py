"""`python -m brokercert.reference`: the reference client as a process, from its environment.

Exit codes: 0 asked to stop, 2 the environment lacks something.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping

from brokercert.reference.client import ReferenceClient
from brokercert.reference.config import ConfigError
from brokercert.reference.stdio import Printer, lines_of_stdin

Factory = Callable[[Mapping[str, str], Callable[[str], None]], ReferenceClient]


async def serve(factory: Factory) -> int:
    """Run a client until SIGTERM, SIGINT or, where it takes commands, the command `stop`."""
    printer = Printer()
    client = factory(os.environ, printer.say)
    await printer.open()
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[None]] = set()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: stops.add(asyncio.create_task(client.stop())))
    listening = asyncio.create_task(_listen(client)) if client.config.level == "commands" else None
    try:
        return await client.run()
    finally:
        if listening is not None:
            listening.cancel()
        await printer.close()


async def _listen(client: ReferenceClient) -> None:
    async for line in lines_of_stdin():
        await client.commands.on_line(line)


def main(factory: Factory = ReferenceClient) -> int:
    try:
        return asyncio.run(serve(factory))
    except ConfigError as error:
        print(f"reference client: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
