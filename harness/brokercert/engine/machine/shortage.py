"""Connections that the harness could not take because it had no descriptor left: told once, and counted by port.

A client that leaks its sockets uses up descriptors of ours too. asyncio prints a traceback for each attempt to accept,
up to a hundred a second for each listener; and a client of another scenario, whose connection is not taken, looks as if
it had sent nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from brokercert.engine.machine.descriptors import SHORT, open_files

TOLD = (
    "The harness has no file descriptor left for a connection (limit {limit}): clients hold too many. A scenario whose "
    "own client holds few of them is a harness error. Lower --jobs, or raise `ulimit -n`."
)


class Shortage:
    """Hears what the loop cannot accept. Everything else goes on to the loop's own handler."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._missed: dict[int, float] = {}  # port -> when a connection to it was last not taken, the loop's clock

    def __enter__(self) -> Shortage:
        self._loop = asyncio.get_running_loop()
        self._before = self._loop.get_exception_handler()
        self._loop.set_exception_handler(self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.set_exception_handler(self._before)

    def missed(self, ports: Collection[int], since: float) -> bool:
        """Whether a connection to one of these ports was not taken since then."""
        return any(self._missed.get(port, since - 1) >= since for port in ports)

    def _heard(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error, listener = context.get("exception"), context.get("socket")
        if isinstance(error, OSError) and error.errno in SHORT and listener is not None:
            first = not self._missed
            self._missed[listener.getsockname()[1]] = loop.time()
            if first:
                self._say(TOLD.format(limit=open_files()[0]))
        elif self._before is not None:
            self._before(loop, context)
        else:
            loop.default_exception_handler(context)
