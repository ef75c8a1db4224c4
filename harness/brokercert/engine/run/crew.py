"""Plays a plan in real time: the preflight, what must be alone, the rest together, and again what we disturbed.

The law: nothing that breaks in one scenario costs another one, and whatever was played up to an interruption is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from msgspec import structs

from brokercert.engine.ask.hosts import check_hosts
from brokercert.engine.errors import UsageError
from brokercert.engine.machine.calibration import calibrate
from brokercert.engine.machine.garbage import collect, no_full_collection
from brokercert.engine.machine.shortage import Shortage
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.machine.watchdog import Watchdog
from brokercert.engine.play import scoring
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, broken, placed, play
from brokercert.engine.play.scenario import Scenario
from brokercert.engine.run import again
from brokercert.engine.run.judgements import Judgements
from brokercert.engine.run.plan import Plan, of_part
from brokercert.engine.run.preflight import Preflight, start_of
from brokercert.engine.run.progress import Progress
from brokercert.engine.run.request import Begun, limits_of, shape_for
from brokercert.engine.uncut import is_cancelled
from brokercert.trace import Shape
from brokercert.verdict import Calibration, Verdict

TOLD_AGAIN = 5.0  # seconds that a prediction must grow by to be told anew


class Crew:
    """Plays the plan of a run in real time."""

    def __init__(self, run: Begun, plan: Plan, progress: Progress, gate: StartGate, shortage: Shortage) -> None:
        self.run, self.plan, self.progress, self.gate, self.shortage = run, plan, progress, gate, shortage
        self.calibration: Calibration | None = None
        self.played: list[Played] = []
        self.exclusive_took = self.again_took = 0.0
        self.toxiproxy = "not used"
        self.judged = Judgements(run.rows, run.suite.dialect.judging)
        self.hosts: dict[str, str] = {}
        self.came = True  # the client, in the preflight; or nobody can say
        self.shape: Shape | None = None  # the client's healthy one
        self.notes: list[str] = []
        self._running: dict[str, None] = {}
        self.ended_early = ""  # why nothing more is played: a row has failed, and that was to be enough
        self._under_way: set[asyncio.Task[None]] = set()  # what is played together
        self._looking: set[asyncio.Task[None]] = set()
        self._given_up = False  # what was asked for cannot be: what is under way ends untold

    async def play_all(self) -> bool:
        """Measure, then play all. True where it was interrupted, at whatever moment."""
        with suppress(asyncio.CancelledError), no_full_collection():
            self.calibration = await calibrate()
            await self._play_all()
        return is_cancelled()

    async def _play_all(self) -> None:
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        watchdog = Watchdog(self.run.folder, self._flush)
        async with StallMonitor(self.progress.stalled, watchdog) as stalls, Paths(self.run.run_id) as paths:
            self.hosts = await check_hosts(self.run.suite.dialect, (*self.plan.played, *self.plan.left))
            if any(scenario.path == "proxied" for scenario in self.plan.played):
                await paths.check()
            self._tell_plan()
            self.props = self._props(stalls, paths)
            ticker = asyncio.create_task(self._tick())
            try:
                await self._rounds()
            finally:
                ticker.cancel()
                self.toxiproxy = paths.description

    def _tell_plan(self) -> None:
        self.progress.planned(self.run.request.subject.name, self.plan.names, self.plan.predicted)

    def _props(self, stalls: StallMonitor, paths: Paths) -> Props:
        return Props(
            dialect=self.run.suite.dialect,
            spec=self.run.request.subject,
            folder=self.run.folder,
            paths=paths,
            gate=self.gate,
            stalls=stalls,
            limits=limits_of(self.run.rows),
            seed=self.run.request.seed,
            remark=self.progress.noted,
            shortage=self.shortage,
        )

    async def _rounds(self) -> None:
        """The preflight, exclusive scenarios one by one, then the others together; then what is played again."""
        loop = asyncio.get_running_loop()
        if self.plan.preflight is not None:
            await self._preflight(self.plan.preflight)
        self.exclusive_took = loop.time() - self._began
        if not self.came or await self._has_failed():
            return
        for scenario in self.plan.exclusive:
            await self._one(scenario)
            if await self._has_failed():
                return
        self.exclusive_took = loop.time() - self._began
        await self._together([(scenario, 1, False) for scenario in self.plan.waiting])
        first_took = loop.time() - self._began
        if await self._has_failed():
            return
        try:
            await self._again(first_took)
        except UsageError:
            raise
        except Exception as error:  # the first round stands: it is judged, whatever broke after it
            self.notes.append(f"Playing again broke: {placed(error)}")
        finally:
            self.again_took = loop.time() - self._began - first_took

    async def _again(self, first_took: float) -> None:
        """Play again what a standstill of ours touched, or where we broke: together, then the exclusive ones alone."""
        loop = asyncio.get_running_loop()
        left = first_took + again.SPARE
        asked = set(self.run.request.only or of_part(self.run.rows, self.run.request.part))
        for number in again.ROUNDS:
            collect()
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
                if await self._has_failed():
                    return
                if one.scenario.exclusive and loop.time() - began + one.lasts <= left:
                    await self._one(one.scenario, number, one.lowered)
            if await self._has_failed():
                return
            left -= loop.time() - began

    async def _together(self, playings: Sequence[tuple[Scenario, int, bool]]) -> None:
        places = asyncio.Semaphore(self.plan.jobs)

        async def one(scenario: Scenario, number: int, lowered: bool) -> None:
            async with places:
                await self._one(scenario, number, lowered)

        try:
            async with asyncio.TaskGroup() as group:
                for playing in playings:
                    task = group.create_task(one(*playing))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
        except ExceptionGroup as group:  # before Python 3.11.4, `except*` raises a group again
            usage, others = group.split(UsageError)
            if usage is None or others is not None:
                raise
            raise usage.exceptions[0] from None

    async def _preflight(self, scenario: Scenario) -> None:
        async def once(number: int) -> Played:
            await self._one(scenario, number, done=self.played.append)
            return self.played[-1]

        async def look(number: int, known: Shape) -> Played:
            self.shape = known  # so that its trace says that it is a second look
            return await once(number)

        tried = Preflight(rows=self.run.rows, judged=self.judged, play_once=once, note=self.progress.noted)
        self.came = await tried.came()
        self._predict_again(self.played[-1])
        if self.came:
            self.shape = await tried.shape(look, self.run.suite.dialect.judging)
            for played in self.played:  # its own: nothing else was played yet
                self._look_soon(played)
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
            self._tell_plan()

    async def _one(
        self,
        scenario: Scenario,
        number: int = 1,
        lowered: bool = False,
        done: Callable[[Played], None] | None = None,
    ) -> None:
        self.progress.started(scenario.name)
        self._running[scenario.name] = None
        header = self.run.header(scenario, self.calibration)
        begun = self.plan.preflight is not None
        try:
            shape = shape_for(scenario, self.shape)
            header = structs.replace(header, play=number, lowered=lowered, preflight=begun, shape=shape)
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
        self._look_soon(played)

    def _look_soon(self, played: Played) -> None:
        """Where a failure ends the run: in the background."""
        if self.run.request.fail_fast and not self.ended_early:
            looking = asyncio.get_running_loop().create_task(self._look(played))
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)

    async def _look(self, played: Played) -> None:
        """Whether a row that was asked for failed in it, which ends the run. What a standstill of ours may have made,
        and what is waived, does not.
        """
        request = self.run.request
        asked = set(request.only or of_part(self.run.rows, request.part)) - {one.row for one in request.waivers.listed}
        bad = (Verdict.FAIL, Verdict.WARNING) if request.strict else (Verdict.FAIL,)
        findings = await asyncio.to_thread(self.judged.of, played)
        row = next((x.requirement for x in findings if x.verdict in bad and x.requirement in asked), "")
        if not row or self.ended_early:
            return
        self.ended_early = f"{row} failed in {played.result.name}, and --fail-fast ended the run there."
        self.progress.noted(self.ended_early)
        for task in self._under_way:
            task.cancel()

    async def _has_failed(self) -> bool:
        """Once all that was played has been looked at."""
        await asyncio.gather(*self._looking)
        return bool(self.ended_early)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            if scoring.under_way():
                continue  # drawing computes
            self.progress.tick(list(self._running), loop.time() - self._began)
