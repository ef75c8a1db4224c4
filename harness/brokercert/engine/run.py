"""A run: the scenarios of a suite played, their traces judged, one record of it all.

Waiting scenarios run concurrently in one loop (they sleep); scenarios whose latencies are scored run alone. The wall
time is therefore the longest waiting scenario plus the sum of the exclusive ones plus a few seconds, and is told so.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from brokercert.engine import scoring
from brokercert.engine.asked import Again
from brokercert.engine.calibrate import LagMonitor, calibrate
from brokercert.engine.dialect import Dialect
from brokercert.engine.environment import machine, tool
from brokercert.engine.errors import UsageError
from brokercert.engine.folder import run_folder
from brokercert.engine.gate import StartGate
from brokercert.engine.paths import Paths
from brokercert.engine.plan import INTERRUPTED, Plan, Wanted, plan_of, unplayed
from brokercert.engine.play import Played, Props, broken, play
from brokercert.engine.record import RunFacts, run_record
from brokercert.engine.room import room_for
from brokercert.engine.scenario import Scenario, Suite, load_suite
from brokercert.engine.shortage import Shortage
from brokercert.engine.subject import SubjectSpec
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Header
from brokercert.trace.records import TRACE_FORMAT, Asked
from brokercert.verdict import Calibration, RunRecord


@dataclass(frozen=True)
class RunRequest:
    """What is asked of a run."""

    set_id: str
    subject: SubjectSpec
    part: str = ""
    only: tuple[str, ...] = ()
    strict: bool = False
    jobs: int = 40
    seed: int = 1
    out: Path = Path("out")
    out_told: str = "the folder of runs"  # who says so, for an error
    tier: Literal["real", "virtual"] = "real"
    full_volume: bool = False  # in virtual time too: as many events, and as large snapshots, as in real time
    limits: Mapping[str, float] = field(default_factory=dict)
    scenarios: tuple[str, ...] = ()  # restrict to these by name: for the harness's own tests
    again: Again = field(default_factory=Again)  # how to ask for the same once more, to be told in the report

    @property
    def wanted(self) -> Wanted:
        """What its plan follows from."""
        return Wanted(
            offers=self.subject.offers,
            tier=self.tier,
            seed=self.seed,
            part=self.part,
            only=self.only,
            scenarios=self.scenarios,
        )

    @property
    def places(self) -> int:
        """How many clients may run at once."""
        return max(1, min(self.jobs, self.subject.instances))


class Progress(Protocol):
    """Told how a run goes; for whoever waits."""

    def planned(self, names: Sequence[str], predicted: float) -> None: ...

    def started(self, name: str) -> None: ...

    def ended(self, name: str, state: str) -> None: ...

    def tick(self, running: Sequence[str], elapsed: float) -> None: ...

    def note(self, text: str) -> None:
        """Something to be known at once; the reports have it too."""


class Quiet:
    """A progress that says nothing."""

    def planned(self, names: Sequence[str], predicted: float) -> None:
        pass

    def started(self, name: str) -> None:
        pass

    def ended(self, name: str, state: str) -> None:
        pass

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        pass

    def note(self, text: str) -> None:
        pass


def run_id_of(now: datetime.datetime) -> str:
    """Sortable, and different for two runs of one second."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def plan_for(request: RunRequest, rows: RequirementSet, suite: Suite) -> Plan:
    """Its plan: of the reference client, which is a class in this process too, the left cells follow in virtual time.

    Raises `UsageError`.
    """
    plan = plan_of(request.wanted, rows, suite, request.places)
    follow = bool(plan.left) and request.subject.command == suite.dialect.reference.command
    return replace(plan, afterwards=follow)


async def certify(request: RunRequest, progress: Progress, gate: StartGate | None = None) -> RunRecord:
    """Play, judge, and write traces and `run.json`'s content. Cancelling it yields a partial record: what was played
    up to then is judged, and the outcome is *interrupted*. Raises `UsageError`.

    Several runs in one loop share a `gate`, so that their clients do not all start at once.
    """
    rows = load_set(request.set_id).with_limits(dict(request.limits))
    suite = load_suite(request.set_id)
    plan = plan_for(request, rows, suite)
    started = datetime.datetime.now(datetime.UTC)
    run_id = run_id_of(started)
    loop = asyncio.get_running_loop()
    began = loop.time()
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        progress.note(text)

    with run_folder(request.out, run_id, request.out_told) as folder, Shortage(note) as shortage:
        room = room_for(plan.jobs, plan.played, folder)
        plan = replace(plan, jobs=room.jobs)
        for text in room.notes:
            note(text)
        calibration = await calibrate()
        crew = _Crew(request, rows, suite.dialect, plan, progress, folder, run_id, calibration, gate or StartGate())
        crew.shortage = shortage
        interrupted = await crew.play_all()
    real_took = loop.time() - began
    if plan.afterwards and not interrupted:
        from brokercert.engine.alone import play_left

        interrupted = await play_left(plan, request, rows, suite.dialect, folder, run_id, crew.played, progress)
    facts = RunFacts(
        request=request,
        rows=rows,
        suite=suite,
        plan_predicted=plan.predicted,
        run_id=run_id,
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        calibration=calibration,
        toxiproxy=crew.toxiproxy,
        environment=machine(),
        exclusive_took=crew.exclusive_took,
        total_took=loop.time() - began,
        virtual_took=loop.time() - began - real_took,
        interrupted=interrupted,
        unplayed=unplayed(plan, {one.result.name for one in crew.played}, INTERRUPTED),
        notes=tuple(notes),
    )
    if request.tier == "virtual":
        return run_record(facts, crew.played)
    return await asyncio.to_thread(run_record, facts, crew.played)  # another run may share the loop


class _Crew:
    """Plays the plan."""

    def __init__(
        self,
        request: RunRequest,
        rows: RequirementSet,
        dialect: Dialect,
        plan: Plan,
        progress: Progress,
        folder: Path,
        run_id: str,
        calibration: Calibration | None,
        gate: StartGate,
    ) -> None:
        self.request, self.rows, self.plan, self.progress, self.folder = request, rows, plan, progress, folder
        self.dialect = dialect
        self.run_id = run_id
        self.calibration = calibration
        self.gate = gate
        self.played: list[Played] = []
        self.exclusive_took = 0.0
        self.toxiproxy = "not used"
        self.shortage: Shortage | None = None
        self._running: dict[str, None] = {}
        self._given_up = False  # what was asked for cannot be: what is under way ends untold

    async def play_all(self) -> bool:
        """Exclusive scenarios first, one by one; then the others together. True where it was interrupted."""
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        async with LagMonitor() as lag, Paths(self.run_id) as paths:
            if any(scenario.path == "proxied" for scenario in self.plan.played):
                await paths.check()
            self.progress.planned(self.plan.names, self.plan.predicted)
            self.props = Props(
                dialect=self.dialect,
                spec=self.request.subject,
                folder=self.folder,
                paths=paths,
                gate=self.gate,
                lag=lag,
                limits=limits_of(self.rows),
                seed=self.request.seed,
                shortage=self.shortage,
            )
            ticker = asyncio.create_task(self._tick())
            try:
                for scenario in self.plan.exclusive:
                    await self._one(scenario)
                self.exclusive_took = loop.time() - self._began
                await self._together()
            except asyncio.CancelledError:
                return True
            finally:
                ticker.cancel()
                self.toxiproxy = paths.description
        return False

    async def _together(self) -> None:
        places = asyncio.Semaphore(self.plan.jobs)

        async def one(scenario: Scenario) -> None:
            async with places:
                await self._one(scenario)

        try:
            async with asyncio.TaskGroup() as group:
                for scenario in self.plan.waiting:
                    group.create_task(one(scenario))
        except ExceptionGroup as group:  # before Python 3.11.4, `except*` raises a group again
            usage, others = group.split(UsageError)
            if usage is None or others is not None:
                raise
            raise usage.exceptions[0] from None

    async def _one(self, scenario: Scenario) -> None:
        self.progress.started(scenario.name)
        self._running[scenario.name] = None
        header = header_of(scenario, self.request, self.rows, self.run_id, self.calibration)
        try:
            await play(scenario, header, self.props, self._done)
        except UsageError:
            self._given_up = True
            raise
        except Exception as error:  # `play` raises no such thing: if it does after all, no other scenario pays for it
            if not any(one.result.name == scenario.name for one in self.played):
                self.played.append(broken(scenario, header, error))
        finally:
            del self._running[scenario.name]

    def _done(self, played: Played) -> None:
        if self._given_up:
            return
        self.played.append(played)
        self.progress.ended(played.result.name, played.result.state)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            if scoring.under_way():
                continue  # drawing computes
            self.progress.tick(list(self._running), loop.time() - self._began)


def header_of(
    scenario: Scenario, request: RunRequest, rows: RequirementSet, run_id: str, known: Calibration | None
) -> Header:
    """The header of one scenario's trace."""
    spec = request.subject
    return Header(
        format=TRACE_FORMAT,
        tool=tool(),
        tier=request.tier,
        clock="monotonic" if request.tier == "real" else "virtual",
        source="mock",
        set_id=rows.id,
        set_version=rows.version,
        set_hash=rows.hash,
        scenario=scenario.name,
        exercises=scenario.exercises,
        path=scenario.path,
        exclusive=scenario.exclusive,
        seed=request.seed,
        subject=spec.name,
        level=spec.level,
        offers=tuple(sorted(spec.offers)),
        absent=dict(spec.absent),
        readings=dict(spec.readings),
        entity_types=spec.entity_types,
        limits=limits_of(rows),
        settings=scenario.settings_at(request.tier == "real" or request.full_volume),
        calibration=(
            {
                "round_trip_p99": known.round_trip_p99,
                "round_trip_max": known.round_trip_max,
                "lag_p99": known.lag_p99,
                "lag_max": known.lag_max,
            }
            if known
            else {}
        ),
        run={"run_id": run_id, "pid": str(os.getpid())},
        full_volume=request.full_volume,
        asked=Asked(part=request.part, only=request.only, strict=request.strict),
    )


def limits_of(rows: RequirementSet) -> dict[str, float]:
    return {limit.name: limit.value for limit in rows.limits.values()}


def run_certification(request: RunRequest, progress: Progress) -> RunRecord:
    """`certify` in a loop of its own: of real time, or of virtual time for a client that runs in this process.

    Ctrl-C and SIGTERM end it with a partial record. Raises `UsageError`.
    """
    if request.tier == "virtual":
        from brokercert.engine.alone import certify_virtual

        return certify_virtual(request, progress)
    with asyncio.Runner() as runner:
        return runner.run(_interruptible(request, progress))


async def _interruptible(request: RunRequest, progress: Progress) -> RunRecord:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(certify(request, progress))
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not the main thread, or not a Unix
            loop.add_signal_handler(number, task.cancel)
    return await task
