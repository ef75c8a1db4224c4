"""Starts are staggered by their work: no client slows forty others down, and none holds them up that only sleeps."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from brokercert.engine.client.resources import work_of
from brokercert.engine.play.gate import StartGate
from hypothesis import given
from hypothesis import strategies as st

DEADLINE = 20.0  # seconds


@given(st.none() | st.floats(0, 60), st.lists(st.floats(0, 60)), st.floats(0, 60))
def test_patience_follows_the_dearest_start_that_is_known(
    given_cost: float | None, seen: list[float], used: float
) -> None:
    gate = StartGate(given_cost)
    for cost in seen:
        gate.measured(cost)
    dearest = max([given_cost or 0.0, *seen])
    assert gate.cost == dearest
    assert gate.patience(used) == max(gate.LEAST, gate.TIMES * dearest, gate.TIMES * used)


@pytest.mark.asyncio
async def test_two_have_their_turn_at_once_and_a_started_client_makes_room() -> None:
    gate, running, most = StartGate(), 0, 0
    released: list[int] = []

    async def one(number: int) -> None:
        nonlocal running, most
        async with gate.turn() as turn:
            running += 1
            most = max(most, running)
            async with turn.starting():
                await asyncio.sleep(0)
            running -= 1
            released.append(number)
            if len(released) == 10:
                everybody.set()
            await everybody.wait()  # the scenario goes on: its place is another's

    everybody = asyncio.Event()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(one(number) for number in range(10)))
    assert most == StartGate.AT_ONCE and released == list(range(10))


@pytest.mark.asyncio
async def test_a_second_start_takes_a_place_anew_and_none_is_lost() -> None:
    gate = StartGate()
    for _ in range(3 * StartGate.AT_ONCE):
        async with gate.turn() as turn:
            for _ in range(2):
                async with turn.starting():
                    assert gate._places._value == StartGate.AT_ONCE - 1
                assert gate._places._value == StartGate.AT_ONCE
    for _ in range(StartGate.AT_ONCE):
        with pytest.raises(RuntimeError):
            async with gate.turn():
                raise RuntimeError("no client was started")
    assert gate._places._value == StartGate.AT_ONCE


BUSY = "import time; t = time.process_time() + 0.3\nwhile time.process_time() < t: pass\n"


def test_the_work_of_a_start_is_that_of_all_its_processes() -> None:
    busy = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    nested = f"{busy}; print('up', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"up\n"
        assert work_of(process.pid) >= 0.3, "a compiler that has ended is part of it"
        process.communicate(b"\n")
    assert work_of(process.pid) == 0.0


@pytest.mark.parametrize(
    ("share", "held"),
    [(0.0, 4), (0.2, 4), (0.5, 30), (1.0, 30)],
    ids=["asleep", "a fifth of a core", "half a core", "a whole core"],
)
def test_a_client_that_does_not_connect_holds_its_place_for_as_long_as_it_works(
    share: float, held: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from command_stage import Gate, Stage, virtually

    async def work(stage: Stage) -> float:
        return share * stage.now / 1e6

    times: list[float] = []

    async def play(stage: Stage) -> None:
        times.append(stage.now / 1e6)

    monkeypatch.setattr(Gate, "LEAST", StartGate.LEAST)
    monkeypatch.setattr(Stage, "_work", work)
    virtually(play)
    assert times == [held]
