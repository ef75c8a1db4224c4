"""A run: the scenarios of a suite played, their traces judged, one record of it all.

Waiting scenarios run concurrently in one loop (they sleep); scenarios whose latencies are scored run alone. The wall
time is therefore the longest waiting scenario plus the sum of the exclusive ones plus a few seconds, and is told so.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from brokercert.engine.client.environment import machine
from brokercert.engine.loops import run_loop
from brokercert.engine.machine.room import room_for
from brokercert.engine.machine.shortage import Shortage
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.raised import listen
from brokercert.engine.play.scenario import Suite
from brokercert.engine.run.crew import Crew
from brokercert.engine.run.folder import run_folder
from brokercert.engine.run.live import Ended, Took, run_record
from brokercert.engine.run.plan import INTERRUPTED, NEVER_CAME, Plan, plan_of, unplayed
from brokercert.engine.run.progress import Careful, Progress, Quiet
from brokercert.engine.run.record import interrupted_record
from brokercert.engine.run.request import RunRequest, begin
from brokercert.engine.run.virtual_run import certify_virtual, play_left
from brokercert.engine.uncut import is_cancelled, to_the_end
from brokercert.requirements import RequirementSet
from brokercert.verdict import RunRecord

__all__ = ["Progress", "Quiet", "RunRequest", "certify", "run_certification"]


def plan_for(request: RunRequest, rows: RequirementSet, suite: Suite) -> Plan:
    """Its plan: of the reference client, which is a class in this process too, the left cells follow in virtual time.

    Raises `UsageError`.
    """
    plan = plan_of(request.wanted, rows, suite, request.places)
    follow = bool(plan.left) and request.subject.command == suite.dialect.reference.command
    return replace(plan, afterwards=follow)


@dataclass
class Phase:
    """What a run does now, or will do next if it is asked to end: for whoever asks."""

    now: str = "ending the clients that run (each is given 15 s at most), to judge what was recorded"


async def certify(
    request: RunRequest, progress: Progress, gate: StartGate | None = None, phase: Phase | None = None
) -> RunRecord:
    """Play, judge, and write traces and `run.json`'s content. Cancelling it yields a partial record: what was played
    up to then is judged, and the outcome is *interrupted*. Raises `UsageError`.

    Several runs in one loop share a `gate`, so that their clients do not all start at once.
    """
    progress = Careful(progress)
    run = begin(request)
    plan = plan_for(request, run.rows, run.suite)
    loop = asyncio.get_running_loop()
    began = loop.time()
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        progress.noted(text)

    listen(loop)  # what is no shortage goes on to it
    with run_folder(request.out, run.run_id, request.out_told) as folder, Shortage(note) as shortage:
        room = room_for(plan.jobs, plan.played, folder)
        for text in room.notes:
            note(text)
        crew = Crew(run, replace(plan, jobs=room.jobs), progress, gate or StartGate(), shortage)
        interrupted = await crew.play_all()
    real_took = loop.time() - began
    if plan.afterwards and not (interrupted or crew.ended_early) and crew.came:
        interrupted = await play_left(run, plan, crew.played, progress)
    total = loop.time() - began
    ended = Ended(
        run=run,
        took=Took(
            predicted=crew.plan.predicted,
            total=total,
            exclusive=crew.exclusive_took,
            virtual=total - real_took,
            again=crew.again_took,
        ),
        toxiproxy=crew.toxiproxy,
        environment={**machine(), **crew.hosts},
        unplayed=unplayed(
            plan,
            {one.result.name for one in crew.played},
            INTERRUPTED if interrupted else crew.ended_early or NEVER_CAME,
        ),
        judged=crew.judged,
        calibration=crew.calibration,
        interrupted=interrupted,
        came=crew.came,
        ended_early="" if interrupted else crew.ended_early,
        notes=(*notes, *crew.notes),
    )
    if request.tier == "virtual":
        return run_record(ended, crew.played)
    if phase is not None:
        phase.now = "judging what was recorded, to report it"
    # In a thread: another run may share the loop. To its end: what was recorded is judged, whatever comes meanwhile.
    record = await to_the_end(asyncio.to_thread(run_record, ended, crew.played))
    return interrupted_record(record) if is_cancelled() else record


def run_certification(request: RunRequest, progress: Progress) -> RunRecord:
    """`certify` in a loop of its own: of real time, or of virtual time for a client that runs in this process.

    The first SIGINT, SIGTERM or SIGHUP ends the playing and makes a partial record of it (`brokercert.engine.stops`
    says what later ones do). Raises `UsageError`, and `KeyboardInterrupt` where that came before there was a run.
    """
    if request.tier == "virtual":
        return certify_virtual(request, progress)
    phase = Phase()
    return run_loop(certify(request, progress, phase=phase), lambda: phase.now)
