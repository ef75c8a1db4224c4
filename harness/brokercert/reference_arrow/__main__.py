"""`python -m brokercert.reference_arrow`: the reference client as a process, from its environment.

Exit codes: 0 asked to stop, 2 the environment lacks something.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from brokercert.reference.stdio import Printer, lines_of_stdin
from brokercert.reference_arrow.config import ConfigError
from brokercert.reference_arrow.subject import ArrowSubject


async def serve(factory: type[ArrowSubject]) -> int:
    """Run a client until SIGTERM, SIGINT or the command `stop`."""
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


async def _listen(client: ArrowSubject) -> None:
    async for line in lines_of_stdin():
        try:
            command = json.loads(line)
        except ValueError:
            continue
        if isinstance(command, dict):
            await client.command(command)


def main(factory: type[ArrowSubject] = ArrowSubject) -> int:
    try:
        return asyncio.run(serve(factory))
    except ConfigError as error:
        print(f"reference client: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
