"""What the harness itself costs: its own round trip over loopback and the lag of its loop, in the same run.

Every figure that is judged carries this as its error; without it a limit of a few milliseconds would mean nothing.
"""

from __future__ import annotations

import asyncio
from statistics import quantiles

from brokercert.engine.errors import HarnessError
from brokercert.verdict import Calibration

ROUND_TRIPS = 300  # enough for a p99 that is more than the worst of a hundred
TICKS = 100
TICK = 0.005  # seconds
LONGEST = 3.0  # seconds for either: on a machine that is this busy fewer samples tell as much
FEWEST = 20  # samples of each, below which nothing could be said of the harness's own error


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def calibrate() -> Calibration:
    """Measure on an otherwise idle loop; takes about a second. Milliseconds.

    On a busy machine it takes fewer samples (`samples` says how many). Raises `HarnessError` where even those do not
    come.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    trips: list[float] = []
    lags: list[float] = []
    try:
        async with asyncio.timeout(LONGEST * FEWEST):
            until = loop.time() + LONGEST
            while len(trips) < ROUND_TRIPS and (loop.time() < until or len(trips) < FEWEST):
                start = loop.time()
                writer.write(b"x" * 100)
                await reader.readexactly(100)
                trips.append((loop.time() - start) * 1000)
            until = loop.time() + LONGEST
            while len(lags) < TICKS and (loop.time() < until or len(lags) < FEWEST):
                due = loop.time() + TICK
                await asyncio.sleep(TICK)
                lags.append(max(0.0, loop.time() - due) * 1000)
    except TimeoutError as error:
        raise HarnessError("this machine is too busy to measure anything: the harness could not calibrate") from error
    finally:
        writer.close()
        server.close()
        await server.wait_closed()
    cut = quantiles(trips, n=100, method="inclusive")
    return Calibration(
        round_trip_p50=round(cut[49], 4),
        round_trip_p99=round(cut[98], 4),
        round_trip_max=round(max(trips), 4),
        lag_p99=round(quantiles(lags, n=100, method="inclusive")[98], 4),
        lag_max=round(max(lags), 4),
        samples=len(trips),
    )


class LagMonitor:
    """Watches how late the loop is while scenarios run: each asks for the worst lag since it began."""

    EVERY = 0.05  # seconds

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []  # (when, lag in seconds), only lags worth telling
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LagMonitor:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self.EVERY
            await asyncio.sleep(self.EVERY)
            lag = loop.time() - due
            if lag > 0.002:  # below this it is the timer's own resolution
                self._samples.append((due, lag))

    def worst_since(self, since: float) -> float:
        """Seconds."""
        return max((lag for when, lag in self._samples if when >= since - self.EVERY), default=0.0)
