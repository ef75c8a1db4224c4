"""Virtual time: each scenario alone on a loop of its own, from time 0, one after the other.

The law: nothing of one scenario can reach another's trace, so that the body of a trace is the same byte for byte for
the same suite, client and seed, whatever else was played. Only clients in this process: any other has its own clock.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from brokercert.engine.client.environment import machine
from brokercert.engine.errors import UsageError
from brokercert.engine.loops import run_loop
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, broken, play
from brokercert.engine.play.scenario import Scenario, load_dialect
from brokercert.engine.play.virtual import CALENDAR, VirtualLoop
from brokercert.engine.run.folder import run_folder
from brokercert.engine.run.judgements import Judgements
from brokercert.engine.run.live import Ended, Took, run_record
from brokercert.engine.run.plan import INTERRUPTED, Plan, plan_of, unplayed
from brokercert.engine.run.progress import Progress
from brokercert.engine.run.request import Begun, RunRequest, begin, header_of, limits_of
from brokercert.engine.stops import STOPS
from brokercert.requirements import RequirementSet
from brokercert.verdict import RunRecord


def play_alone(scenario: Scenario, request: RunRequest, rows: RequirementSet, run_id: str, folder: Path) -> Played:
    """Play one scenario in virtual time. Its trace is written into `folder`/traces.

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
            await play(scenario, header_of(scenario, request, rows, run_id, None), props, played.append)
        await asyncio.sleep(1)  # costs nothing: transports that are closing come to their end

    run_loop(alone(), lambda: f"ending {scenario.name}", loop_factory=VirtualLoop)
    return played[0]


def played_alone(scenario: Scenario, request: RunRequest, rows: RequirementSet, run_id: str, folder: Path) -> Played:
    """As `play_alone`, but what breaks is that scenario's *harness error*. Raises `UsageError`, KeyboardInterrupt."""
    try:
        return play_alone(scenario, request, rows, run_id, folder)
    except UsageError:
        raise
    except Exception as error:  # a loop that is stuck, say: it costs no other scenario
        return broken(scenario, header_of(scenario, request, rows, run_id, None), error)


async def play_left(run: Begun, plan: Plan, played: list[Played], progress: Progress) -> bool:
    """The cells of the grid that a run in real time left out, with the reference client in this process; added to
    `played`. True where it was interrupted. In a thread: each cell's loop is its own.
    """
    factory = run.suite.dialect.reference.factory()
    subject = replace(run.request.subject, command=None, factory=factory, level="in process")
    virtual = replace(run.request, tier="virtual", subject=subject)
    try:
        for scenario in plan.left:
            progress.started(scenario.name)
            one = await asyncio.to_thread(played_alone, scenario, virtual, run.rows, run.run_id, run.folder)
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
                for scenario in chosen:
                    progress.started(scenario.name)
                    played.append(played_alone(scenario, request, run.rows, run.run_id, folder))
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
