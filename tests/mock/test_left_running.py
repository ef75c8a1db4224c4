"""A broker that is left to run, as `brokercert serve` is, gathers nothing without end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from brokercert_mock import TradovateBroker
from brokercert_mock.anybroker import FEW_TIMERS
from brokercert_mock.anyconnection import KEPT
from brokercert_mock.shell import Shell

pytestmark = pytest.mark.asyncio


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


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


async def test_timers_that_were_cancelled_are_forgotten() -> None:
    broker = TradovateBroker(seed=1)
    kept = [broker.call_later(60, lambda: None) for _ in range(10)]
    for _ in range(10 * FEW_TIMERS):
        broker.call_later(60, lambda: None).cancel()
    assert len(broker._timers) <= 2 * FEW_TIMERS and broker._timers >= set(kept)
    await broker.close()
    assert all(timer.cancelled() for timer in kept)
