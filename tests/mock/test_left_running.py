"""A broker that is left to run, as `brokercert serve` is, gathers nothing without end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from brokercert_mock import NullRecorder, TradovateBroker
from brokercert_mock.port.ground import FEW_TIMERS, KEPT
from brokercert_mock.port.shell import MOST_UNREAD, Shell

pytestmark = pytest.mark.asyncio


class Wire(asyncio.Transport):
    """A transport that goes nowhere: nobody reads what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.unread = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.aborted

    def close(self) -> None:
        self.aborted = True

    def abort(self) -> None:
        self.aborted = True


async def accepted(broker: TradovateBroker) -> Shell:
    shell = Shell(broker)
    shell.connection_made(Wire())
    return shell


async def test_of_connections_that_ended_the_last_are_known_and_of_those_that_stand_all() -> None:
    broker = TradovateBroker(seed=1)
    first = await accepted(broker)
    for _ in range(KEPT + 50):
        (await accepted(broker)).connection_lost(None)
    assert len(broker.history) == KEPT + 1
    assert list(broker.history)[:2] == [1, 52] and list(broker.history)[-1] == KEPT + 51
    assert [connection.id for connection in broker.connections] == [1]
    first.connection_lost(None)
    assert 1 in broker.history and 52 not in broker.history
    await broker.close()


async def test_a_client_that_reads_nothing_is_ended_before_it_fills_the_memory() -> None:
    told: list[tuple[str, int]] = []

    class Ear(NullRecorder):
        def fault(self, requested: float, acknowledged: float, name: str, conn: int, detail: str) -> None:
            told.append((name, conn))

    broker = TradovateBroker(seed=1, recorder=Ear())
    shell, wire = Shell(broker), Wire()
    shell.connection_made(wire)
    piece = bytes(1024 * 1024)
    for _ in range(2 * MOST_UNREAD // len(piece)):
        shell.write(piece)
    assert wire.aborted and wire.unread <= MOST_UNREAD + len(piece)
    assert told == [("unread", shell.connection.id)] and shell.connection.ended_by == "broker"
    await broker.close()


async def test_timers_that_were_cancelled_are_forgotten() -> None:
    broker = TradovateBroker(seed=1)
    kept = [broker.call_later(60, lambda: None) for _ in range(10)]
    for _ in range(10 * FEW_TIMERS):
        broker.call_later(60, lambda: None).cancel()
    assert len(broker.ground.timers) <= 2 * FEW_TIMERS and broker.ground.timers >= set(kept)
    await broker.close()
    assert all(timer.cancelled() for timer in kept)
