"""Plays a schedule in virtual time: a broker, a client of this process, and the watch over both.

The law: the same schedule and client give the same frames at the same moments, and so the same result. Flow and faults
stop for a check; a check waits until the client is back, and then holds what it believes and holds on to against what
is true. The first breach ends the simulation.

    comes-back        with a healthy way and a broker that answers, each synced socket of the beginning is there again
    state-is-ledger   what the client believes becomes the broker's ledger, and stays it
    bounded           sockets, tasks and objects do not grow with time, but with what the broker has to tell
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from brokercert_mock import TradovateBroker
from brokercert_mock.port.recorder import Recorder

from brokercert.engine.client.environment import subject_environment
from brokercert.engine.client.inprocess import InProcessSubject, start_in_process
from brokercert.engine.client.subject import Stream, SubjectSpec
from brokercert.engine.errors import HarnessError, UsageError
from brokercert.engine.loops import run_loop
from brokercert.engine.play.scenario import load_dialect
from brokercert.engine.play.virtual import CALENDAR, LONGEST, StuckError, VirtualLoop
from brokercert.judge.tradovate.model.differences import differences, scope_of, types_in
from brokercert.requirements import RequirementSet, load_set
from brokercert.simulation.happen import LATE, Happenings
from brokercert.simulation.held import held_by
from brokercert.simulation.schedule import CENTI, CHECK, Schedule
from brokercert.simulation.watch import TAG, Both, Breach, Watch
from brokercert.trace.records import Why

OPENING = 12.0  # seconds in which a client opens all the sockets that it opens by itself
POLL = 0.25
ANSWER = 5.0  # seconds that a snapshot may take
SLOWEST = 10  # seconds of virtual time in one of real time, on the busiest machine
NEVER = 10 * 365 * 86_400.0  # seconds a token lives for a client that cannot renew one

MORE_TASKS = 10  # than at the first check: whatever a client may have under way
MORE_OBJECTS = 20_000  # than at the first check, whatever the state: buffers and logs that have a limit ...
OBJECTS_PER_ENTITY = 60  # ... and so many for each entity more: a few copies and indexes of it


@dataclass(frozen=True, slots=True)
class Played:
    """How a simulation ended. The same schedule and client give equal ones."""

    breach: Breach | None
    seconds: float  # of virtual time
    events: int
    faults: int
    requests: int  # that the client was asked to send
    checks: int  # that it passed
    frames: int
    digest: int
    took: float = field(default=0.0, compare=False)  # seconds of real time

    def same_breach(self, other: Breach) -> bool:
        return self.breach is not None and self.breach.invariant == other.invariant


def play(schedule: Schedule, spec: SubjectSpec, set_id: str, also: Callable[[float], Recorder] | None = None) -> Played:
    """Play a schedule to its end or its first breach. `also` makes a recorder that is told what the broker tells, from
    the loop's time at the start: the writer of a trace.

    Raises `UsageError` where the client is no client of this process or the set's broker has no exchange, and
    `HarnessError` where the broker or a rule breaks.
    """
    if spec.factory is None:
        raise UsageError("a simulation is played in virtual time; expected a client of this process")
    began = time.perf_counter()
    made: list[Simulation] = []

    async def alone() -> None:
        folder = Path(tempfile.mkdtemp(prefix="brokercert-"))
        made.append(Simulation(schedule, spec, set_id, also))
        try:
            await made[0].run(folder)
        finally:
            await made[0].end()
            shutil.rmtree(folder, ignore_errors=True)  # the client's own leavings
        await asyncio.sleep(1)  # costs nothing: transports that are closing come to their end

    try:
        run_loop(
            alone(),
            lambda: f"ending seed {schedule.seed}",
            loop_factory=lambda: VirtualLoop(LONGEST + schedule.seconds / SLOWEST),
        )
    except StuckError as error:
        made[0].watch.breaks("alive", made[0].ended, f"the client never waits: {error}")
    simulation, watch = made[0], made[0].watch
    if simulation.broker.script_errors:
        raise HarnessError(f"seed {schedule.seed}: the broker or a rule broke: {simulation.broker.script_errors[0]!r}")
    return Played(
        breach=watch.breach,
        seconds=simulation.ended,
        events=simulation.done,
        faults=schedule.faults,
        requests=watch.requests,
        checks=simulation.checks,
        frames=watch.frames,
        digest=watch.digest,
        took=time.perf_counter() - began,
    )


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long a client is awaited, in seconds: by the limits of its requirement set."""

    recovery: float  # noticing a silent server, and the recovery that follows
    ended: float  # until a request has an outcome: a ticket, the time until its retry, an answer, and a second
    settle: float  # until the state is the ledger's ...
    stable: float  # ... and until it is looked at again
    leaving: float  # until it has logged off

    @classmethod
    def by(cls, rows: RequirementSet) -> _Patience:
        return cls(
            recovery=rows.limit("silence") + rows.limit("window_recovery"),
            ended=LATE + rows.limit("ticket_late") + rows.limit("request_end") + 1,
            settle=rows.limit("snapshot_settle"),
            stable=rows.limit("snapshot_stable"),
            leaving=rows.limit("window_stop"),
        )


class Simulation:
    """One schedule, being played. To be made in a running loop."""

    def __init__(
        self, schedule: Schedule, spec: SubjectSpec, set_id: str, also: Callable[[float], Recorder] | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._broken = asyncio.Event()
        self.watch = Watch(self._broken.set)
        recorder: Recorder = self.watch
        if also is not None:
            recorder = cast(Recorder, Both(self.watch, also(self._loop.time())))
        settings = {} if "tokens" in spec.offers else {"token_life": NEVER}
        broker = load_dialect(set_id).broker(settings, recorder, schedule.seed, CALENDAR)
        if not isinstance(broker, TradovateBroker):
            raise UsageError(f"--set {load_set(set_id).name}: its broker has no simulation; expected tradovate-stage2")
        self.broker = broker
        self._patience = _Patience.by(load_set(set_id))
        self.checks = 0
        self.done = 0
        self.ended = 0.0
        self._schedule = schedule
        self._spec = spec
        self._happen = Happenings(broker, self)
        self._subject: InProcessSubject | None = None
        self._commands = 0
        self._lanes = 0
        self._first = _Size(0, 0, 0)
        self._entities = 0  # that the broker had at the first check

    async def run(self, folder: Path) -> None:
        """To the end, or to the first breach."""
        await self.broker.start()
        env = {
            **subject_environment(
                self.broker, host="127.0.0.1", port=self.broker.port, scenario="simulation", state_dir=folder
            ),
            "BROKERCERT_LEVEL": "commands",
            **({"BROKERCERT_SHARDS": str(self._schedule.shards)} if "shards" in self._spec.offers else {}),
        }
        assert self._spec.factory is not None
        told = _Told(self.watch, self._loop.time)
        self._subject = start_in_process(self._spec, self._spec.factory, env, told, self._loop.time, told)
        playing = asyncio.create_task(self._through())
        broken = asyncio.create_task(self._broken.wait())
        await asyncio.wait({playing, broken}, return_when=asyncio.FIRST_COMPLETED)
        for task in (playing, broken):
            task.cancel()
        await asyncio.wait({playing, broken})
        self.ended = self._loop.time()
        if not playing.cancelled() and playing.exception() is not None:
            raise HarnessError(f"seed {self._schedule.seed}: {playing.exception()!r}") from playing.exception()

    async def _through(self) -> None:
        await self._check()
        for event in self._schedule.events:
            if event.after:
                await asyncio.sleep(event.after / CENTI)
            self.done += 1
            if event.do == CHECK:
                await self._check()
            else:
                self._happen.do(event)
        await self._check()

    async def end(self) -> None:
        """Leave nothing running."""
        await self._happen.end()
        if self._subject is not None:
            if self._subject.alive:
                await self._subject.ask_stop(judged=False)
                await self._subject.wait_exit(self._patience.leaving)
            await self._subject.kill()
        await self.broker.close()

    # The client.

    def ask(self, endpoint: str, body: dict[str, Any]) -> None:
        """Have the client send a request, where it takes any and a socket of it is synced."""
        if self._subject is None or "request" not in self._spec.offers or not self._happen.healthy():
            return
        self._commands += 1
        body = {**body, "clOrdId": self.watch.ask(self._commands)}
        line = {"command": "request", "id": self._commands, "endpoint": endpoint, "query": "", "body": body}
        if not self._subject.say({**line, "priority": 5}):
            self.watch.forget(self._commands)

    async def _snapshot(self) -> Mapping[str, Any] | None:
        """What the client believes; None where it cannot say. Breaks where it does not answer."""
        if self._subject is None or "snapshot" not in self._spec.offers:
            return None
        self._commands += 1
        ident = self._commands
        if not self._subject.say({"command": "snapshot", "id": ident}):
            return None

        def answered() -> bool:
            return ident in self.watch.snapshots or ident in self.watch.unsupported

        if not await self._until(answered, ANSWER):
            self._breaks("state-is-ledger", f"the client was asked for its state, and said nothing for {ANSWER:g} s")
        entities = self.watch.snapshots.pop(ident, None)
        return entities if isinstance(entities, dict) else None

    async def _until(self, condition: Callable[[], bool], within: float) -> bool:
        deadline = self._loop.time() + within
        for _ in range(10):  # turns of the loop: a client of this process mostly answers at once
            if condition():
                return True
            await asyncio.sleep(0)
        while not condition():
            if self._loop.time() >= deadline:
                return False
            await asyncio.sleep(POLL)
        return True

    def _breaks(self, invariant: str, text: str) -> None:
        self.watch.breaks(invariant, self._loop.time(), text)

    # Checks.

    async def _check(self) -> None:
        """With a healthy way and a quiet broker: what must hold."""
        await self._happen.heal()
        self.broker.quiet(True)
        await self._back()
        await asyncio.sleep(LATE + 1)  # what is answered late has been answered
        if not await self._until(lambda: not self.watch.outstanding, self._patience.ended):
            lost = ", ".join(f"{TAG}{ident}" for ident in self.watch.outstanding)
            self._breaks("request-once", f"no outcome of {lost}, {self._patience.ended:g} s after the last fault")
        self.watch.settle()
        await self._compare()
        self._measure()
        self.checks += 1
        self.broker.quiet(False)

    async def _back(self) -> None:
        wanted = self._lanes or 1
        if not await self.broker.wait(lambda _: len(self._happen.healthy()) >= wanted, self._patience.recovery):
            there = len(self._happen.healthy())
            self._breaks(
                "comes-back",
                f"{there} of {wanted} synced socket(s), {self._patience.recovery:g} s after the last fault"
                if self._lanes
                else f"no synced socket, {self._patience.recovery:g} s after its start",
            )
        if not self._lanes:
            await asyncio.sleep(OPENING)
            self._lanes = len(self._happen.healthy())

    async def _compare(self) -> None:
        """Until the client's state is the ledger or must have been; and once more when it must be still."""
        due = max(self._loop.time(), self.watch.synced_at) + self._patience.settle
        while different := await self._difference():
            if self._loop.time() >= due:
                self._breaks("state-is-ledger", different)
                return
            await asyncio.sleep(POLL)
            due = max(due, self.watch.synced_at + self._patience.settle)
        await asyncio.sleep(self._patience.stable)
        if different := await self._difference():
            self._breaks("state-is-ledger", f"{different}, {self._patience.stable:g} s after all had been equal")

    async def _difference(self) -> str:
        """The first thing that the client believes wrongly; empty: none, or it cannot say."""
        entities = await self._snapshot()
        if entities is None:
            return ""
        scope, shown = scope_of(list(self.watch.sync_bodies.values())), types_in(entities)
        found = differences(
            self.broker.ledger_state(), entities, scope, [kind for kind in scope.kinds if kind not in shown]
        )
        if not found:
            return ""
        one, more = found[0], f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        what = "" if one.field in ("presence", "absence") else f" has {one.field}"
        return f"{one.kind} {one.id}{what or ' is'} {one.actual} with the client, {one.expected} in the ledger{more}"

    def _measure(self) -> None:
        assert self._subject is not None
        sockets = sum(c.is_open and c.silent is None for c in self.broker.connections)
        tasks = [task for task in self._subject.tasks if not task.done()]
        size = _Size(sockets, len(tasks), held_by([self._subject.client, *tasks]))
        entities = sum(map(len, self.broker.db.entities.values()))
        if not self.checks:
            self._first, self._entities = size, entities
        first = self._first
        objects = first.objects + MORE_OBJECTS + OBJECTS_PER_ENTITY * max(0, entities - self._entities)
        for what, is_, most in (
            ("open sockets", size.sockets, first.sockets),
            ("tasks", size.tasks, first.tasks + MORE_TASKS),
            ("objects", size.objects, objects),
        ):
            if is_ > most:
                self._breaks("bounded", f"{is_} {what}, at the first check {getattr(first, what.split()[-1])}")


@dataclass(frozen=True, slots=True)
class _Size:
    """What a client holds at a check."""

    sockets: int
    tasks: int
    objects: int


class _Told:
    """Takes what the client prints and how it ends: its lines, and the engine's observer, in one."""

    def __init__(self, watch: Watch, clock: Callable[[], float]) -> None:
        self._watch = watch
        self._clock = clock
        self.tail: list[str] = []
        self._ours = False  # its end is the harness's doing

    def line(self, stream: Stream, text: str) -> None:
        if stream == "err":
            self.tail = [*self.tail[-2:], text]
        self._watch.line(self._clock(), text)

    def when_told(self, then: Callable[[], None]) -> None:
        then()

    def ending(self, at: float, why: Why, processes: int) -> None:
        self._ours = True

    def exited(self, at: float, code: int, asked: bool) -> None:
        if not asked and not self._ours:
            said = f": {self.tail[-1][:300]}" if self.tail else ""
            self._watch.breaks("alive", at, f"the client left by itself, with status {code}{said}")

    def started(self, at: float) -> None:
        """Nothing to say of it."""

    def stop_asked(self, at: float, how: str, judged: bool) -> None:
        """Nothing to say of it."""

    def output(self, at: float, stream: Literal["out", "err"], line: str, cut: bool) -> None:
        """Its lines come to `line`."""

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        """Its lines come to `line`."""

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        """Its lines come to `line`."""

    def dropped(self, at: float, lines: int, bytes: int) -> None:
        """Nothing is."""
