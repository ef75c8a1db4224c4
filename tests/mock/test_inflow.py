"""A client that floods its socket is heard whole and in order, in turns of the loop that end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest
from brokercert.trace import records as r
from brokercert_mock.port.inflow import PIECE, Inflow
from brokercert_mock.port.pace import TURN
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_bench import running


@dataclass
class Wire(asyncio.ReadTransport):
    """Counts what is asked of it."""

    told: list[str] = field(default_factory=list)

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")


FLOOD = 40_000  # frames: more than one read brings
reads = st.lists(st.integers(0, 5 * PIECE), min_size=1, max_size=8)


@settings(deadline=None)  # the machine may be busy
@given(reads=reads, cost=st.floats(0, 0.05), held=st.booleans(), ended=st.booleans())
def test_what_is_read_is_taken_whole_in_turns(reads: list[int], cost: float, held: bool, ended: bool) -> None:
    async def played() -> None:
        now, wire, taken = [0.0], Wire(), bytearray()
        pieces_in_turn = [0]

        def take(data: bytes, at: float) -> None:
            taken.extend(data)
            now[0] += cost
            pieces_in_turn[0] += 1

        inflow, sent = Inflow(wire, lambda: now[0], take), bytearray()
        for number, size in enumerate(reads):
            if wire.told.count("pause") > wire.told.count("resume"):
                while wire.told[-1] == "pause":  # nobody reads meanwhile
                    pieces_in_turn[0] = 0
                    await asyncio.sleep(0)
                    assert (pieces_in_turn[0] - 1) * cost <= TURN
            data = bytes([number]) * size
            sent += data
            inflow.feed(data)
        if held:
            inflow.pause()
        if ended:
            inflow.finish()
        for _ in range(len(sent) // PIECE + 3):  # a piece a turn at the least
            await asyncio.sleep(0)
        assert taken == sent
        assert not held or wire.told[-1] == "pause", "what a fault has paused is not read again"

    asyncio.run(played())


@pytest.mark.asyncio
async def test_a_flood_of_frames_leaves_the_loop_its_turns() -> None:
    """Each frame costs 1 ms of the broker's clock. The flood is masked frames of eight bytes, written beside the
    library.
    """
    frame = b"\x81\x82\x00\x00\x00\x00[]"
    heard = 0

    def hear(record: object) -> None:
        nonlocal heard
        heard += isinstance(record, r.Frame) and record.text == "[]"

    async with running(clock=lambda: time.monotonic() + heard * 0.001) as bench, bench.authorized() as ws:
        bench.writer.watchers.append(hear)
        ws.transport.write(frame * FLOOD)
        most, until = 0, time.monotonic() + 30
        while heard < FLOOD and time.monotonic() < until:
            before = heard
            await asyncio.sleep(0)
            most = max(most, heard - before)
        assert len([x for x in bench.frames("client") if x.text == "[]"]) == FLOOD
        assert most <= TURN / 0.001 + PIECE / len(frame)  # the piece that is under way is taken whole
