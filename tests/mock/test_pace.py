"""Whatever an event costs, the loop comes round: of streams and bursts, on any machine."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import pytest
from brokercert.trace import records as r
from brokercert_mock import NullRecorder, Settings, TradovateBroker
from brokercert_mock.port.pace import LATE, MOST, TURN, Pace
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_bench import Bench, messages, reply, running


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


turns = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 0.5)), min_size=1, max_size=20)  # (pause, cost of an event)


@settings(deadline=None)
@given(rate=st.floats(0.1, 200_000), turns=turns)
def test_a_turn_ends_and_what_is_overdue_is_dropped(rate: float, turns: list[tuple[float, float]]) -> None:
    """On any machine: each event costs what it likes, and the process is stopped for as long as it likes."""
    clock = Clock()
    pace = Pace(rate, clock)
    for pause, cost in turns:
        clock.now += pause
        began, before = clock.now, pace.sent
        for _ in pace.turn():
            clock.now += cost
        sent = pace.sent - before
        assert clock.now - began <= TURN + cost + 1e-9 and sent <= MOST
        waiting = int((began - 100.0) * rate) - pace.sent - pace.dropped
        assert 0 <= waiting <= max(1, int(rate * LATE))
        assert pace.reached <= rate * 1.001


@settings(deadline=None, max_examples=50)  # the machine may be busy
@given(rate=st.floats(1, 100_000), ticks=st.integers(1, 300))
def test_a_machine_that_keeps_up_drops_nothing(rate: float, ticks: int) -> None:
    clock = Clock()
    pace = Pace(rate, clock)
    for _ in range(ticks):
        clock.now += 0.01
        for _ in pace.turn():
            clock.now += 0.0
    assert pace.dropped == 0 and pace.sent == int((clock.now - 100.0) * rate)


@dataclass
class Ticking:
    """The loop's clock, on which each event of the stream costs `cost` seconds more than this machine takes."""

    cost: float
    spent: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.spent

    def see(self, record: object) -> None:
        self.spent += self.cost if isinstance(record, r.Frame) and record.sender == "broker" else 0.0


@pytest.mark.asyncio
async def test_a_stream_that_no_machine_can_make_leaves_the_loop_its_turns() -> None:
    """Each event costs 2 ms of the broker's clock, so a turn has room for five, however fast or busy the machine is."""
    clock = Ticking(0.002)
    async with running(Settings(event_every=30), clock=clock) as bench, bench.authorized() as ws:
        await ws.send('user/syncrequest\n2\n\n{"entityTypes":["cashBalance","position","order"]}')
        await reply(ws, 2)

        async def read() -> None:
            while True:
                await messages(ws)

        reading = asyncio.create_task(read())
        bench.writer.watchers.append(clock.see)
        bench.broker.background(100_000)
        until = clock() + 3
        longest = 0.0
        while clock() < until:
            before = clock.spent
            await asyncio.sleep(0)
            longest = max(longest, clock.spent - before)
        assert 0 < longest <= TURN + 2 * clock.cost  # one more may begin just before its end, and a heartbeat may come
        bench.broker.background(0)
        reading.cancel()
        _is_told(bench, 100_000)


def _is_told(bench: Bench, asked: float) -> None:
    """What was dropped stands in the trace: at most once a second, in sums that only grow."""
    told = bench.of(r.Load)
    assert 1 <= len(told) <= 5 and all(load.asked == asked and 0 < load.reached < asked for load in told)
    assert [load.dropped for load in told] == sorted({load.dropped for load in told})
    events = [frame for frame in bench.frames("broker") if '"e":"props"' in (frame.text or "")]
    assert told[-1].sent == len(events)


@pytest.mark.asyncio
async def test_a_stream_that_keeps_its_rate_tells_nothing_but_its_events() -> None:
    async with running() as bench, bench.authorized() as ws:
        await ws.send('user/syncrequest\n2\n\n{"entityTypes":["cashBalance"]}')
        await reply(ws, 2)
        bench.broker.background(50)
        for _ in range(10):
            await messages(ws)
        bench.broker.background(0)
        assert not bench.of(r.Load)


class _Costly:
    """A clock that moves on whenever something is written, and a socket that takes it."""

    id, is_open = 1, True

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.written = 0

    def write_prepared(self, data: bytes) -> tuple[float, int, int]:
        self.written += 1
        self._clock.now += 0.002
        return self._clock.now, self.written, self.written


@pytest.mark.asyncio
async def test_a_burst_that_is_late_is_written_in_turns_and_whole() -> None:
    from brokercert_mock.tradovate.burst import Burst

    clock = Clock()
    broker = TradovateBroker(seed=1, recorder=NullRecorder(), clock=clock)
    socket = _Costly(clock)
    burst = Burst(broker.ground, broker.db, socket, 500)  # type: ignore[arg-type]  # all of a connection that a burst uses
    burst._frames = [b"x"] * 500
    sending = asyncio.create_task(burst.send(100_000))
    await asyncio.sleep(0)
    longest = 0
    while not sending.done():
        before = socket.written
        await asyncio.sleep(0)
        clock.now += 0.001
        longest = max(longest, socket.written - before)
    assert socket.written == 500 and longest * 0.002 <= TURN + 0.002
    await broker.close()
