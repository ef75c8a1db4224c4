"""A run: the scenarios of a suite played, their traces judged, one record of it all.

Waiting scenarios run concurrently in one loop (they sleep); scenarios whose latencies are scored run alone. The wall
time is therefore the longest waiting scenario plus the sum of the exclusive ones plus a few seconds, and is told so.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from msgspec import structs

from brokercert.engine.ask.hosts import check_hosts
from brokercert.engine.ask.options import Again
from brokercert.engine.client.environment import machine, tool
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.loops import run_loop
from brokercert.engine.machine.calibration import calibrate
from brokercert.engine.machine.room import room_for
from brokercert.engine.machine.shortage import Shortage
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.machine.watchdog import Watchdog
from brokercert.engine.play import scoring
from brokercert.engine.play.dialect import Dialect
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, broken, play
from brokercert.engine.play.scenario import Scenario, Suite, load_suite
from brokercert.engine.run import again
from brokercert.engine.run.folder import run_folder
from brokercert.engine.run.judgements import Judgements
from brokercert.engine.run.plan import INTERRUPTED, NEVER_CAME, Plan, Wanted, plan_of, unplayed
from brokercert.engine.run.preflight import Preflight, start_of
from brokercert.engine.run.progress import Careful, Progress, Quiet
from brokercert.engine.run.record import RunFacts, interrupted_record, run_record
from brokercert.engine.uncut import is_cancelled, to_the_end
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Header
from brokercert.trace.records import TRACE_FORMAT, Asked
from brokercert.verdict import Calibration, RunRecord

TOLD_AGAIN = 5.0  # seconds that a prediction must grow by to be told anew

__all__ = ["Progress", "Quiet", "RunRequest", "certify", "run_certification"]


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
        progress.noted(text)

    with run_folder(request.out, run_id, request.out_told) as folder, Shortage(note) as shortage:
        room = room_for(plan.jobs, plan.played, folder)
        plan = replace(plan, jobs=room.jobs)
        for text in room.notes:
            note(text)
        crew = _Crew(request, rows, suite.dialect, plan, progress, folder, run_id, gate or StartGate())
        crew.shortage = shortage
        interrupted = await crew.play_all()
    real_took = loop.time() - began
    if plan.afterwards and not interrupted and crew.came:
        from brokercert.engine.run.virtual_run import play_left

        interrupted = await play_left(plan, request, rows, suite.dialect, folder, run_id, crew.played, progress)
    facts = RunFacts(
        request=request,
        rows=rows,
        suite=suite,
        plan_predicted=crew.plan.predicted,
        run_id=run_id,
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        calibration=crew.calibration,
        toxiproxy=crew.toxiproxy,
        environment={**machine(), **crew.hosts},
        exclusive_took=crew.exclusive_took,
        total_took=loop.time() - began,
        virtual_took=loop.time() - began - real_took,
        again_took=crew.again_took,
        interrupted=interrupted,
        judged=crew.judged,
        never_came=not crew.came,
        unplayed=unplayed(plan, {one.result.name for one in crew.played}, INTERRUPTED if interrupted else NEVER_CAME),
        notes=(*notes, *crew.notes),
    )
    if request.tier == "virtual":
        return run_record(facts, crew.played)
    if phase is not None:
        phase.now = "judging what was recorded, to report it"
    # In a thread: another run may share the loop. To its end: what was recorded is judged, whatever comes meanwhile.
    run = await to_the_end(asyncio.to_thread(run_record, facts, crew.played))
    return interrupted_record(run) if is_cancelled() else run


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
        gate: StartGate,
    ) -> None:
        self.request, self.rows, self.plan, self.progress, self.folder = request, rows, plan, progress, folder
        self.dialect = dialect
        self.run_id = run_id
        self.calibration: Calibration | None = None
        self.gate = gate
        self.played: list[Played] = []
        self.exclusive_took = self.again_took = 0.0
        self.toxiproxy = "not used"
        self.judged = Judgements(rows, dialect.judging)
        self.hosts: dict[str, str] = {}
        self.came = True  # the client, in the preflight; or nobody can say
        self.shortage: Shortage | None = None
        self._running: dict[str, None] = {}
        self.notes: list[str] = []
        self._given_up = False  # what was asked for cannot be: what is under way ends untold

    async def play_all(self) -> bool:
        """Measure, then play all. True where it was interrupted, at whatever moment."""
        with suppress(asyncio.CancelledError):
            self.calibration = await calibrate()
            await self._play_all()
        return is_cancelled()

    async def _play_all(self) -> None:
        """The preflight, exclusive scenarios one by one, then the others together."""
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        watchdog = Watchdog(self.folder, self._flush)
        async with StallMonitor(self.progress.stalled, watchdog) as stalls, Paths(self.run_id) as paths:
            self.hosts = await check_hosts(self.dialect, (*self.plan.played, *self.plan.left))
            if any(scenario.path == "proxied" for scenario in self.plan.played):
                await paths.check()
            self.progress.planned(self.request.subject.name, self.plan.names, self.plan.predicted)
            self.props = Props(
                dialect=self.dialect,
                spec=self.request.subject,
                folder=self.folder,
                paths=paths,
                gate=self.gate,
                stalls=stalls,
                limits=limits_of(self.rows),
                seed=self.request.seed,
                remark=self.progress.noted,
                shortage=self.shortage,
            )
            ticker = asyncio.create_task(self._tick())
            try:
                if self.plan.preflight is not None:
                    await self._preflight(self.plan.preflight)
                self.exclusive_took = loop.time() - self._began
                if not self.came:
                    return
                for scenario in self.plan.exclusive:
                    await self._one(scenario)
                self.exclusive_took = loop.time() - self._began
                await self._together([(scenario, 1, False) for scenario in self.plan.waiting])
                first_took = loop.time() - self._began
                try:
                    await self._again(first_took)
                except UsageError:
                    raise
                except Exception as error:  # the first round stands: it is judged, whatever broke after it
                    self.notes.append(f"Playing again broke: {type(error).__name__}: {error}")
                finally:
                    self.again_took = loop.time() - self._began - first_took
            finally:
                ticker.cancel()
                self.toxiproxy = paths.description

    async def _again(self, first_took: float) -> None:
        """Play again what a standstill of ours touched, or where we broke: together, then the exclusive ones alone."""
        loop = asyncio.get_running_loop()
        left = first_took + again.SPARE
        asked = set(self.request.only or self._in_part())
        for number in again.ROUNDS:
            found = await asyncio.to_thread(
                again.touched, self.plan.played, tuple(self.played), self.judged, asked, number
            )
            todo = [one for one in found if one.lasts <= left]
            if not todo:
                return
            began = loop.time()
            self.progress.again([one.scenario.name for one in todo], max(one.lasts for one in todo))
            await self._together([(one.scenario, number, one.lowered) for one in todo if not one.scenario.exclusive])
            for one in todo:
                if one.scenario.exclusive and loop.time() - began + one.lasts <= left:
                    await self._one(one.scenario, number, one.lowered)
            left -= loop.time() - began

    def _in_part(self) -> tuple[str, ...]:
        part = self.request.part
        return self.rows.part(part) if part else tuple(row.id for row in self.rows.rows)

    async def _together(self, playings: Sequence[tuple[Scenario, int, bool]]) -> None:
        places = asyncio.Semaphore(self.plan.jobs)

        async def one(scenario: Scenario, number: int, lowered: bool) -> None:
            async with places:
                await self._one(scenario, number, lowered)

        try:
            async with asyncio.TaskGroup() as group:
                for playing in playings:
                    group.create_task(one(*playing))
        except ExceptionGroup as group:  # before Python 3.11.4, `except*` raises a group again
            usage, others = group.split(UsageError)
            if usage is None or others is not None:
                raise
            raise usage.exceptions[0] from None

    async def _preflight(self, scenario: Scenario) -> None:
        async def once(number: int) -> Played:
            await self._one(scenario, number, done=self.played.append)
            return self.played[-1]

        tried = Preflight(rows=self.rows, judged=self.judged, play_once=once, note=self.progress.noted)
        self.came = await tried.came()
        self._predict_again(self.played[-1])
        self.progress.ended(scenario.name, self.played[-1].result.state)
        if not self.came:
            self.progress.noted("no upgrade request came from the client: nothing else is played")

    def _predict_again(self, preflight: Played) -> None:
        """By what the first start took, where that is known."""
        start = start_of(preflight.trace)
        if start is None or start.connected is None:
            return
        before = self.plan.predicted
        self.plan = self.plan.starting_in(start.connected, self.gate)
        if self.plan.predicted - before > TOLD_AGAIN:
            self.progress.planned(self.request.subject.name, self.plan.names, self.plan.predicted)

    async def _one(
        self,
        scenario: Scenario,
        number: int = 1,
        lowered: bool = False,
        done: Callable[[Played], None] | None = None,
    ) -> None:
        self.progress.started(scenario.name)
        self._running[scenario.name] = None
        header = header_of(scenario, self.request, self.rows, self.run_id, self.calibration)
        begun = self.plan.preflight is not None
        try:
            header = structs.replace(header, play=number, lowered=lowered, preflight=begun)
            props = replace(self.props, spec=replace(self.props.spec, lowered=lowered))
            await play(scenario, header, props, done or self._done)
        except UsageError:
            self._given_up = True
            raise
        except Exception as error:  # `play` raises no such thing: if it does after all, no other scenario pays for it
            if not any((one.result.name, one.result.play) == (scenario.name, number) for one in self.played):
                self.played.append(broken(scenario, header, error))
        finally:
            self._running.pop(scenario.name, None)

    def _flush(self) -> None:
        """What is recorded goes to the disk now. Called by the watchdog, in its thread."""
        for watched in list(self.props.stalls.watched):
            watched.writer.flush()

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
    scenario: Scenario,
    request: RunRequest,
    rows: RequirementSet,
    run_id: str,
    known: Calibration | None,
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
        before_all=scenario.before_all,
    )


def limits_of(rows: RequirementSet) -> dict[str, float]:
    return {limit.name: limit.value for limit in rows.limits.values()}


def run_certification(request: RunRequest, progress: Progress) -> RunRecord:
    """`certify` in a loop of its own: of real time, or of virtual time for a client that runs in this process.

    The first SIGINT, SIGTERM or SIGHUP ends the playing and makes a partial record of it (`brokercert.engine.stops`
    says what later ones do). Raises `UsageError`, and `KeyboardInterrupt` where that came before there was a run.
    """
    if request.tier == "virtual":
        from brokercert.engine.run.virtual_run import certify_virtual

        return certify_virtual(request, progress)
    phase = Phase()
    return run_loop(certify(request, progress, phase=phase), lambda: phase.now)
