"""An echo process beside a timed client: what it takes longer than a moment, the machine took from the client too."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from types import TracebackType

from brokercert.engine.errors import HarnessError

ECHO = "import os\nwhile data := os.read(0, 64): os.write(1, data)"  # ends with its standard input
EVERY = 0.02  # seconds between two questions: as long as the lag that counts
STARTS = 10.0  # seconds that a Python may take to start on a busy machine


class Canary:
    """`async with Canary() as canary: ...`, then `canary.samples`: (when it was asked, seconds until it answered)."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, float]] = []
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.subprocess.Process | None = None
        self._asking: asyncio.Task[None] | None = None
        self._asked: float | None = None

    async def __aenter__(self) -> Canary:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", ECHO, stdin=pipe, stdout=pipe
        )
        try:
            async with asyncio.timeout(STARTS):
                await self._ask()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            await self._end()
            raise HarnessError("the echo process beside the timed client did not answer") from error
        except BaseException:
            await self._end()
            raise
        self.samples.clear()  # the first is its start
        self._asking = asyncio.create_task(self._keep_asking())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        if self._asked is not None:  # not answered yet: it has lagged at least so long
            self.samples.append((self._asked, self._loop.time() - self._asked))
        await self._end()

    async def _ask(self) -> None:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._asked = self._loop.time()
        self._process.stdin.write(b".")
        await self._process.stdout.readexactly(1)
        self.samples.append((self._asked, self._loop.time() - self._asked))
        self._asked = None

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self._ask()

    async def _end(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):  # it ended by itself
            self._process.kill()
        await self._process.wait()
