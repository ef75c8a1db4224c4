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

Factory = Callable[[Mapping[str, str], Callable[[str], None]], ReferenceClient]


def say(line: str) -> None:
    """One line, at once: a buffered line would be read too late."""
    print(line, flush=True)


async def serve(factory: Factory) -> int:
    """Run a client until SIGTERM or SIGINT."""
    client = factory(os.environ, say)
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[None]] = set()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: stops.add(asyncio.create_task(client.stop())))
    return await client.run()


def main(factory: Factory = ReferenceClient) -> int:
    try:
        return asyncio.run(serve(factory))
    except ConfigError as error:
        print(f"reference client: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
