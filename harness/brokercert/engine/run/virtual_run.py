"""Virtual time: each scenario alone on a loop of its own, from time 0, one after the other.

The law: nothing of one scenario can reach another's trace, so that the body of a trace is the same byte for byte for
the same suite, client and seed, whatever else was played. Only clients in this process: any other has its own clock.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from brokercert.engine.client.environment import machine
from brokercert.engine.errors import UsageError
from brokercert.engine.loops import run_loop
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, broken, play
from brokercert.engine.play.scenario import Scenario, Suite, load_dialect
from brokercert.engine.play.virtual import CALENDAR, VirtualLoop
from brokercert.engine.run.folder import run_folder
from brokercert.engine.run.judgements import Judgements
from brokercert.engine.run.live import Ended, Took, run_record
from brokercert.engine.run.plan import INTERRUPTED, Plan, plan_of, unplayed
from brokercert.engine.run.preflight import shape_in
from brokercert.engine.run.progress import Progress
from brokercert.engine.run.request import Begun, RunRequest, begin, header_of, limits_of
from brokercert.engine.stops import STOPS
from brokercert.judge.shapes import is_clear, merged
from brokercert.requirements import RequirementSet
from brokercert.trace import Shape
from brokercert.verdict import RunRecord

# Folders that are made and gone within milliseconds: on a disk, that takes longer than many a scenario plays.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def play_alone(
    scenario: Scenario,
    request: RunRequest,
    rows: RequirementSet,
    run_id: str,
    folder: Path,
    shape: Shape | None = None,
) -> Played:
    """Play one scenario in virtual time. Its trace is written into `folder`/traces. `shape` is the client's healthy
    one (`shape_learnt`).

    Raises `UsageError`, and KeyboardInterrupt when it is interrupted: then there is no trace to speak of.
    """
    if request.subject.factory is None:
        raise UsageError(
            "--tier virtual: a client in a process of its own cannot share a clock that jumps; use --tier real"
        )
    played: list[Played] = []

    async def alone() -> None:
        async with Paths(run_id, virtual=True) as paths:
            # A monitor that was not started: a virtual loop never stands still.
            props = Props(
                dialect=load_dialect(rows.id),
                spec=request.subject,
                folder=folder,
                paths=paths,
                gate=StartGate(),
                stalls=StallMonitor(),
                limits=limits_of(rows),
                seed=request.seed,
                calendar=CALENDAR,
            )
            await play(scenario, header_of(scenario, request, rows, run_id, None, shape), props, played.append)
        await asyncio.sleep(1)  # costs nothing: transports that are closing come to their end

    run_loop(alone(), lambda: f"ending {scenario.name}", loop_factory=VirtualLoop)
    return played[0]


def shape_learnt(request: RunRequest, rows: RequirementSet, suite: Suite) -> Shape | None:
    """The client's healthy shape, from a start of its own that leaves no trace; a second one where that is not clear.

    None where the dialect knows no shapes, where the client does not come, or where the start breaks. Raises
    `UsageError`, KeyboardInterrupt.
    """
    scenario, judging = suite.preflight, suite.dialect.judging
    if scenario is None or suite.dialect.stage.window_shape is None:
        return None

    def start(folder: str) -> Shape | None:
        played = played_alone(scenario, request, rows, "start", Path(folder))
        return shape_in(played.trace, judging) if played.result.state == "completed" else None

    with tempfile.TemporaryDirectory(prefix="brokercert-start-", dir=MEMORY) as folder:
        shape = start(folder)
        if shape is None or is_clear(shape):
            return shape
        again = start(folder)
    return shape if again is None else merged(shape, again)


def played_alone(
    scenario: Scenario,
    request: RunRequest,
    rows: RequirementSet,
    run_id: str,
    folder: Path,
    shape: Shape | None = None,
) -> Played:
    """As `play_alone`, but what breaks is that scenario's *harness error*. Raises `UsageError`, KeyboardInterrupt."""
    try:
        return play_alone(scenario, request, rows, run_id, folder, shape)
    except UsageError:
        raise
    except Exception as error:  # a loop that is stuck, say: it costs no other scenario
        return broken(scenario, header_of(scenario, request, rows, run_id, None, shape), error)


async def play_left(run: Begun, plan: Plan, played: list[Played], progress: Progress) -> bool:
    """The cells of the grid that a run in real time left out, with the reference client in this process; added to
    `played`. True where it was interrupted. In a thread: each cell's loop is its own.
    """
    factory = run.suite.dialect.reference.factory()
    subject = replace(run.request.subject, command=None, factory=factory, level="in process")
    virtual = replace(run.request, tier="virtual", subject=subject)
    try:
        shape = await asyncio.to_thread(shape_learnt, virtual, run.rows, run.suite)
        for scenario in plan.left:
            progress.started(scenario.name)
            one = await asyncio.to_thread(played_alone, scenario, virtual, run.rows, run.run_id, run.folder, shape)
            played.append(one)
            progress.ended(scenario.name, f"{one.result.state}, in virtual time")
    except asyncio.CancelledError:
        return True
    return False


def certify_virtual(request: RunRequest, progress: Progress) -> RunRecord:
    """As `certify`, in virtual time. Ctrl-C ends it with what was played up to then. Raises `UsageError`."""
    run = begin(request)
    plan = plan_of(request.wanted, run.rows, run.suite, request.places)
    chosen = (*plan.exclusive, *plan.waiting)
    progress.planned(request.subject.name, plan.names, plan.predicted)
    played: list[Played] = []
    interrupted = False
    with run_folder(request.out, run.run_id, request.out_told) as folder:
        try:
            # A signal between two scenarios breaks into nothing: the loop of the next one heeds it.
            with STOPS.during(lambda: None, lambda: "ending the run"):
                shape = shape_learnt(request, run.rows, run.suite)
                for scenario in chosen:
                    progress.started(scenario.name)
                    played.append(played_alone(scenario, request, run.rows, run.run_id, folder, shape))
                    progress.ended(scenario.name, played[-1].result.state)
        except KeyboardInterrupt:
            interrupted = True
    took = Took(
        predicted=plan.predicted,
        total=sum(one.result.duration for one in played),
        exclusive=sum(one.result.duration for one in played if one.result.exclusive),
    )
    ended = Ended(
        run=run,
        took=took,
        toxiproxy="embedded, in virtual time" if any(s.path == "proxied" for s in chosen) else "not used",
        environment=machine(),
        unplayed=unplayed(plan, {one.result.name for one in played}, INTERRUPTED),
        judged=Judgements(run.rows, run.suite.dialect.judging),
        interrupted=interrupted,
    )
    return run_record(ended, played)
