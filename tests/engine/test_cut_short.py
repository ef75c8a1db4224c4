"""A cancellation at any moment of a scenario: what it showed is kept, told to its end, and nothing of it stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.play import play as playing
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props
from brokercert.engine.play.scenario import Scenario, load_dialect
from brokercert.engine.play.virtual import CALENDAR, VirtualLoop
from brokercert.engine.run.request import RunRequest, header_of, limits_of
from brokercert.engine.uncut import is_cancelled, to_the_end
from brokercert.requirements import load_set
from brokercert.trace import read_trace
from brokercert.trace import records as r

SET = "tradovate-stage2"
PLAYED = "it was played to its end"
PLAYS = 10.0  # virtual seconds that the scenario takes, and a few to start
LEAVES = 12.0  # and that its client then takes to leave, of the 15 that it is given


class SlowToLeave:
    """Never connects, and takes its time to end. Within the limit that every client has for it."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None]) -> None:
        self.stopped = asyncio.Event()

    async def run(self) -> int:
        await self.stopped.wait()
        await asyncio.sleep(LEAVES)
        return 0

    async def stop(self) -> None:
        self.stopped.set()


async def _play(stage: Any) -> None:
    await stage.start()
    await stage.hold(PLAYS)
    stage.step(PLAYED)


def cut_at(folder: Path, *moments: float) -> tuple[list[Played], bool]:
    """Play it, cancelled at these moments: what was handed on, and whether the cancellation was raised in the end."""
    rows = load_set(SET)
    spec = SubjectSpec("slow", factory=SlowToLeave, level="in process")
    scenario = Scenario("slow", "A client that is slow to leave", (), _play)
    header = header_of(scenario, RunRequest(SET, spec, tier="virtual"), rows, "cut", None)
    done: list[Played] = []

    async def alone() -> bool:
        async with Paths("cut", virtual=True) as paths:
            props = Props(
                dialect=load_dialect(SET),
                spec=spec,
                folder=folder,
                paths=paths,
                gate=StartGate(),
                stalls=StallMonitor(),
                limits=limits_of(rows),
                seed=1,
                calendar=CALENDAR,
            )
            task = asyncio.create_task(playing.play(scenario, header, props, done.append))
            for moment in moments:
                asyncio.get_running_loop().call_later(moment, task.cancel)
            try:
                await task
            except asyncio.CancelledError:
                return True
            return False

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return done, runner.run(alone())


MOMENTS = [(float(step),) for step in range(0, 26, 2)]
SEVERAL = [(1.0, 2.0, 3.0), (5.0, 15.0, 18.0), (20.0, 20.0, 21.0)]


def test_whenever_it_comes_the_scenario_is_told_to_its_end(tmp_path: Path) -> None:
    states: list[str] = []
    for number, moments in enumerate([*MOMENTS, *SEVERAL]):
        folder = tmp_path / str(number)
        (folder / "traces").mkdir(parents=True)
        done, raised = cut_at(folder, *moments)
        assert raised, "whoever cancelled must see it"
        (played,) = done
        trace = read_trace(folder / "traces" / "slow.jsonl")
        whole = any(isinstance(record, r.Step) and record.text == PLAYED for record in trace.records)
        assert played.result.state == ("completed" if whole else "interrupted")
        assert isinstance(trace.records[-1], r.Finished) and trace.records[-1].state == played.result.state
        ended = any(isinstance(record, r.SubjectExited) for record in trace.records)
        assert ended or not any(isinstance(record, r.SubjectStarted) for record in trace.records)
        assert [path.name for path in folder.iterdir()] == ["traces"], "its state folder has gone"
        states.append(played.result.state)
    assert states.count("completed") > 3 and states.count("interrupted") > 3, "moments of both kinds were tried"


def test_without_one_it_ends_by_itself(tmp_path: Path) -> None:
    (tmp_path / "traces").mkdir()
    done, raised = cut_at(tmp_path)
    assert not raised and done[0].result.state == "completed"


# The tool.


@pytest.mark.asyncio
@pytest.mark.parametrize("times", range(4))
async def test_work_comes_to_its_end_however_often_it_is_cancelled(times: int) -> None:
    told: list[object] = []

    async def work() -> str:
        for _ in range(20):
            await asyncio.sleep(0)
        return "judged"

    async def waiting() -> None:
        told.append(await to_the_end(work()))
        told.append(is_cancelled())

    task = asyncio.create_task(waiting())
    for _ in range(times):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
    await task
    assert told == ["judged", times > 0]


@pytest.mark.asyncio
async def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        await to_the_end(work())
