"""What the harness itself costs: its own round trip over loopback and the lag of its loop, in the same run.

Every figure that is judged carries this as its error; without it a limit of a few milliseconds would mean nothing.
"""

from __future__ import annotations

import asyncio
from statistics import quantiles

from brokercert.engine.errors import HarnessError
from brokercert.engine.machine.standstill import LEAST
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
    trips, lags = _usual(trips), _usual(lags)
    cut = quantiles(trips, n=100, method="inclusive")
    return Calibration(
        round_trip_p50=round(cut[49], 4),
        round_trip_p99=round(cut[98], 4),
        round_trip_max=round(max(trips), 4),
        lag_p99=round(quantiles(lags, n=100, method="inclusive")[98], 4),
        lag_max=round(max(lags), 4),
        samples=len(trips),
    )


def _usual(samples: list[float]) -> list[float]:
    """Without those over a standstill, which is a record of its own where it matters, and no usual error; but all of
    them where too few are left. Milliseconds.
    """
    usual = [sample for sample in samples if sample <= LEAST * 1000]
    return usual if len(usual) >= FEWEST else samples
