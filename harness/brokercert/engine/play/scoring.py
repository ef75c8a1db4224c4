"""While a client's processing is timed: nothing else computes in the harness's process, and a canary runs beside.

The law: what comes is stamped and kept, and decoded, recorded and shown afterwards, some at a time; the collector waits
too. Whatever happens, all that was kept is told in the end.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psutil

from brokercert.engine.client.output import Output
from brokercert.engine.machine.canary import Canary
from brokercert.trace import TraceWriter
from brokercert.trace import records as r

SLICE = 250  # records appended in one go: some milliseconds
_under_way = 0


def under_way() -> bool:
    """Whether something is timed now: whoever draws or counts for people's sake waits."""
    return _under_way > 0


def _used() -> float:
    """CPU seconds that programs other than this one and its children have used, on all cores."""
    times = psutil.cpu_times()._asdict()
    # A guest's time stands in `user` as well.
    spent = sum(times.values()) - sum(times.get(name, 0.0) for name in ("idle", "iowait", "guest", "guest_nice"))
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.Error):  # it has just ended
            own = process.cpu_times()
            spent -= own.user + own.system
    return float(spent)


async def _others() -> None:
    """Let everybody else in the loop have a turn."""
    await asyncio.sleep(0)


@asynccontextmanager
async def scoring(writer: TraceWriter, output: Output, name: str) -> AsyncIterator[None]:
    """The block is timed. At its end its records follow in the order of time, the canary's, and a window `name`."""
    global _under_way
    loop = asyncio.get_running_loop()
    collecting = gc.isenabled()
    async with Canary() as canary:
        gc.collect()
        gc.disable()
        _under_way += 1
        writer.hold()
        output.hold()
        used = _used()
        since = writer.micros(loop.time())
        try:
            yield
        finally:
            _under_way -= 1
            until = writer.micros(loop.time())
            others = max(0.0, _used() - used) / max(1e-6, (until - since) / 1e6)
            output.go_on()
            if collecting:
                gc.enable()
            try:
                told = asyncio.Event()
                output.when_told(told.set)
                await told.wait()
                while writer.let_go(SLICE):
                    await _others()
            finally:
                while writer.let_go(SLICE):
                    pass  # interrupted: all the same
    samples = tuple((writer.micros(at), round(took * 1e6)) for at, took in canary.samples)
    writer.add(r.Canary(t=writer.micros(loop.time()), samples=samples, others=round(others, 3)))
    writer.add(r.Window(t=until, name=name, since=since))
