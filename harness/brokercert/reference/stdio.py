"""Standard input and output in an event loop: neither a slow reader of a long line nor a silent writer stops it.

Where they are pipes, as under the harness, they are read and written without blocking. A terminal or a file is written
to directly, and not read.
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator

LONGEST_LINE = 1024 * 1024  # bytes of a command: the body of a request is in it
LAST_WORDS = 2.0  # seconds that the reader is given at the end


def _is_pipe(fd: int) -> bool:
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class Printer:
    """Prints lines, each at once: a buffered line would be read too late."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._closed: asyncio.Future[None] | None = None

    async def open(self) -> None:
        if not _is_pipe(sys.stdout.fileno()):
            return
        loop = asyncio.get_running_loop()
        closed: asyncio.Future[None] = loop.create_future()

        class Ending(asyncio.BaseProtocol):
            def connection_lost(self, exc: Exception | None) -> None:
                if not closed.done():
                    closed.set_result(None)

        self._closed = closed
        # A descriptor of its own, since the transport closes it at the end.
        pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        self._transport, _ = await loop.connect_write_pipe(Ending, pipe)

    def say(self, line: str) -> None:
        if self._transport is None:
            print(line, flush=True)
        else:
            self._transport.write(line.encode("utf-8", "replace") + b"\n")

    async def close(self) -> None:
        """Until everything is written, as long as somebody reads it."""
        if self._transport is None or self._closed is None:
            return
        self._transport.close()
        await asyncio.wait({self._closed}, timeout=LAST_WORDS)
        os.set_blocking(sys.stdout.fileno(), True)  # shared with the descriptor that was closed


async def lines_of_stdin() -> AsyncIterator[bytes]:
    """The lines of standard input, until it ends. None where it is no pipe."""
    if not _is_pipe(sys.stdin.fileno()):
        return
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # longer than any command: thrown away by the reader
                continue
            if not line:
                return
            yield line
    finally:
        transport.close()
