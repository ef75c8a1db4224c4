"""Scenarios played in virtual time while the harness stands still: a real client, real sockets, a clock that goes on.

The law: while it stands still no callback of the harness runs, and it reads, writes and times nothing; the client's go
on, or stand still too. Which is whose, its context says: all that a client starts carries the owner that its first task
was given. What the client printed meanwhile is read when the harness goes on, as it would be from a pipe.
"""

from __future__ import annotations

import asyncio
import selectors
import tempfile
from collections import deque
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from brokercert.engine.client.inprocess import _owner
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, play
from brokercert.engine.play.scenario import Suite, load_suite
from brokercert.engine.play.virtual import CALENDAR, LONGEST, VirtualLoop, _Selector
from brokercert.engine.run.request import RunRequest, header_of, limits_of
from brokercert.judge import judge_trace
from brokercert.matrix.cells import MEMORY
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding
from msgspec.structs import replace

# Set in all that the harness starts. What an executor's thread calls back has no context of either.
_harness: ContextVar[bool] = ContextVar("asleep_harness", default=False)


@dataclass(frozen=True, slots=True)
class Still:
    """The harness stands still from `since` for `length`, in seconds of the scenario; `together` with its client."""

    since: float
    length: float
    together: bool = False


class _Awake(selectors.DefaultSelector):
    """Tells nothing of the harness's own sockets while it stands still."""

    asleep = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(timeout)
        if not self.asleep:
            return ready
        return [
            (key, mask)
            for key, mask in ready
            if not any(handle is not None and _of_harness(handle) for handle in key.data)
        ]


class _Sleeper(_Selector, _Awake):
    pass


def _of_harness(handle: Any) -> bool:
    return handle._context.get(_harness, False) and handle._context.get(_owner) is None


class _Ready(deque[Any]):
    """Callbacks that are to run. The harness's wait while it stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Any] | None = None

    def append(self, handle: Any) -> None:
        if self.held is not None and _of_harness(handle):
            self.held.append(handle)
        else:
            super().append(handle)


class SleepyLoop(VirtualLoop):
    """A virtual loop whose harness stands still when it is told to."""

    _selector_of = _Sleeper
    _virtual: _Sleeper

    def __init__(self, stills: Sequence[Still]) -> None:
        super().__init__()
        self._ready = _Ready()
        self.told: list[tuple[float, float]] = []  # from when to when it stood still
        for still in stills:
            self.call_at(still.since, self._fall_asleep, still)

    def _fall_asleep(self, still: Still) -> None:
        if self._virtual.calls or self._ready.held is not None:
            self.call_later(0.01, self._fall_asleep, still)
            return
        until = self.time() + still.length
        self.told.append((self.time(), until))
        if still.together:
            self._virtual.now = until
            return
        self._ready.held = []
        self._virtual.asleep = True
        self.call_at(until, self._wake)

    def _wake(self) -> None:
        held, self._ready.held = self._ready.held or [], None
        self._virtual.asleep = False
        self._ready.extend(held)


def played(set_id: str, spec: SubjectSpec, scenario: str, stills: Sequence[Still] = (), **header: Any) -> Trace:
    """The trace of that scenario, with the standstills on record. Raises `AssertionError` where nothing was played."""
    rows, suite = _loaded(set_id)
    request = RunRequest(set_id, spec, tier="virtual")
    found: list[Played] = []
    one = suite.by_name(scenario)

    async def alone(folder: Path) -> None:
        _harness.set(True)
        async with Paths("asleep", virtual=True) as paths:
            props = Props(
                dialect=suite.dialect,
                spec=spec,
                folder=folder,
                paths=paths,
                gate=StartGate(),
                stalls=StallMonitor(),
                limits=limits_of(rows),
                seed=request.seed,
                calendar=CALENDAR,
            )
            await play(one, header_of(one, request, rows, "asleep", None), props, found.append)
        await asyncio.sleep(LONGEST)  # costs nothing: a standstill at the end may have left something to close

    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        loop = SleepyLoop(stills)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(alone(Path(folder)))
    (one_played,) = found
    return on_record(one_played.trace, loop.told, **header)


def on_record(trace: Trace, told: Sequence[tuple[float, float]], **header: Any) -> Trace:
    """With a record of each standstill; and what the client said meanwhile is stamped when it was over."""
    spans = [(round(since * 1e6), round(until * 1e6)) for since, until in told]
    records: list[r.Body] = []
    left = list(spans)
    for x in trace.records:
        t = max([until for since, until in spans if since < x.t < until], default=x.t)
        x = x if t == x.t else replace(x, t=t)
        while left and (x.t >= left[0][1] or isinstance(x, r.Finished)):
            since, until = left.pop(0)
            if since <= x.t:
                records.append(r.Stall(since=since, t=until))
        if isinstance(x, r.Finished):
            x = replace(x, lag=max((until - since for since, until in spans), default=0))
        records.append(x)
    header = {"calibration": {"round_trip_p99": 1.0, "lag_max": 1.0}, **header}
    return trace_of(replace(trace.header, **header), records)


def judged(set_id: str, trace: Trace) -> list[Finding]:
    rows, suite = _loaded(set_id)
    return judge_trace(trace, rows, suite.dialect.judging)


@lru_cache(maxsize=4)
def _loaded(set_id: str) -> tuple[RequirementSet, Suite]:
    return load_set(set_id), load_suite(set_id)
