"""What a scenario is handed: the broker, the faults, the client, and ways to wait. It has no way to judge.

Every wait has a deadline, and ends early when the client has left by itself: nothing more can come. Waiting looks at
the folded trace, the very model that the judge sees afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from brokercert_mock.port.connection import AnyConnection

from brokercert.engine.client.clocks import VARIABLE, SteppedClock
from brokercert.engine.client.output import TAIL_WIDTH, Output
from brokercert.engine.client.resources import measure, work_of
from brokercert.engine.client.running import RunningSubject, start_subject
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import HarnessError
from brokercert.engine.play.broker import Broker
from brokercert.engine.play.commands import C, Commanding
from brokercert.engine.play.faults import ProxiedPath
from brokercert.engine.play.gate import StartGate, Turn
from brokercert.engine.play.scoring import scoring
from brokercert.engine.play.virtual import step_wall
from brokercert.trace import Body, TraceWriter
from brokercert.trace import records as r
from brokercert.trace.names import FaultName, WindowName

T = TypeVar("T")

ARRIVAL = 0.5  # seconds: after these, on an undelayed path, a message written has arrived (judging rule)
INSTANT = 1e-6  # seconds: an end that is nearer has come; a clock that only timers turn would never reach it
AFRESH = "the client is not back from the losses before; what follows is met on the first socket of a new start"
LAST_OUTPUT = 1.0  # seconds that a client which left is given to have its output read


B = TypeVar("B", bound=Broker)


def _unheard(text: str) -> None:
    """Nobody waits who could be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup(Generic[B]):
    """What one playing of a scenario is made of. `env` are the BROKERCERT_* variables that its client is told.

    `proxied` is None where the client reaches the broker directly. `remark` tells whoever waits for the run, at once;
    it leaves no trace.
    """

    scenario: str
    broker: B
    writer: TraceWriter
    spec: SubjectSpec
    env: Mapping[str, str]
    state_dir: Path
    gate: StartGate | Turn
    limits: Mapping[str, float]
    proxied: ProxiedPath | None = None
    remark: Callable[[str], None] = _unheard


class AnyStage(Commanding[C], Generic[B, C]):
    """One playing of one scenario: what all dialects share. `fold` is the dialect's model of what was said.

    `window_start` names the limit within which a client that was started connects. `window_shape` names those by which
    its healthy shape is looked for: how long nothing new must come, and how long at most; None: the dialect has none.
    """

    fold: type[C]
    window_start: ClassVar[str]
    window_shape: ClassVar[tuple[str, str] | None] = None

    def __init__(self, setup: Setup[B]) -> None:
        self.broker = setup.broker
        self._whole = self.fold()
        self._whole.shape = setup.writer.header.shape
        self.talk = self._whole  # of the client's latest start
        self.limits = setup.limits
        self.remark = setup.remark
        self._setup = setup
        self._writer = setup.writer
        self._spec = setup.spec
        self._subject: RunningSubject | None = None
        self._env = dict(setup.env)
        self._clock: SteppedClock | None = None  # the client's, where it is one of the harness's
        self._starts = 0
        self._toxics: list[str] = []  # on the way, by name
        self._old: frozenset[int] = frozenset()  # connections that `talk` leaves out, since it looks anew
        self._anew: C | None = None
        self._last_words: tuple[str, ...] = ()  # of the first start that nobody asked to end
        self._changed = asyncio.Event()
        self._gone = asyncio.Event()  # the client has left
        self._loop = asyncio.get_running_loop()
        setup.writer.watchers.append(self._on_record)

    @property
    def address(self) -> str:
        """Where the client is to connect: host and port of the URL that it is given, nothing secret."""
        return urlsplit(self._setup.env.get("BROKERCERT_URL", "")).netloc.rpartition("@")[2]

    def limit(self, name: str) -> float:
        """A number of the requirement set, in the unit that the set gives it, as it stands in the trace's header.

        Raises `HarnessError` where the set has no limit of this name.
        """
        if name not in self.limits:
            raise HarnessError(
                f"scenario {self._writer.header.scenario} asks for the limit {name!r}, which the set does not have; "
                f"expected one of {', '.join(sorted(self.limits))}"
            )
        return self.limits[name]

    # Time and waiting.

    @property
    def now(self) -> int:
        """Microseconds since the scenario began."""
        return self._writer.micros(self._loop.time())

    async def wait(self, what: str, condition: Callable[[C], T | None], within: float) -> T | None:
        """Wait until `condition` of the conversation is something; None after `within` seconds, or when the client
        has left by itself and all that it did has been seen.
        """
        deadline = self._loop.time() + within
        self._writer.add(r.Expecting(t=self.now, what=what, until=self._writer.micros(deadline)))
        left_since: float | None = None
        while True:
            self._changed.clear()
            found = condition(self.talk)
            if found:
                return found
            now = self._loop.time()
            if self.left:
                left_since = left_since or now
                if now - left_since >= ARRIVAL - INSTANT:
                    return None
            until = min(deadline, left_since + ARRIVAL) if left_since is not None else deadline
            if now >= deadline - INSTANT:
                return None
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def hold(self, seconds: float, what: str = "time to pass") -> None:
        """Let time pass; shorter only where the client has left. Records do not wake it: under load that is costly."""
        deadline = self._loop.time() + seconds
        self._writer.add(r.Expecting(t=self.now, what=what, until=self._writer.micros(deadline)))
        try:
            async with asyncio.timeout_at(deadline):
                await self._gone.wait()
                await asyncio.sleep(ARRIVAL)
        except TimeoutError:
            return

    async def hush(self, seconds: float) -> None:
        """Let time pass in which the broker says nothing by itself, so that a client's own timers show. A dialect whose
        broker speaks by itself has its own.
        """
        with self.window(WindowName.HUSHED):
            await self.hold(seconds, "what the client does by itself")

    @property
    def offers(self) -> frozenset[str]:
        """What the client and its adapter offer."""
        return self._spec.offers

    @property
    def left(self) -> bool:
        """The client has left, asked or not."""
        return self.talk.exited is not None

    async def arrived(self) -> None:
        """Until what was written last has arrived."""
        await self.hold(ARRIVAL, "what was written to arrive")

    # What the scenario is about, once or several times.

    async def meet(self, play: Callable[[Any], Awaitable[None]], meetings: Sequence[int], rested: bool) -> None:
        """Play it once for each of `meetings`: so many losses come before, and a rest where `rested`. Where the client
        is at none of them, it is started anew, and met by what can be asked of its first socket.
        """
        was_there = False
        for number, losses in enumerate(meetings):
            if number or losses:
                self.step(f"what follows is met after {losses} losses" if losses else "what follows is met once more")
                if not await self.meet_again(losses, rested):
                    break
            await play(self)
            was_there = was_there or not losses or self.was_met()
        if not was_there and self.shows_itself():
            await self.meet_afresh(play)

    async def meet_afresh(self, play: Callable[[Any], Awaitable[None]]) -> None:
        """Play it on the first socket of another start of the client, with nothing before it."""
        await self.finish()
        for name in self._toxics:
            await self.proxied.remove(name)
        self._toxics.clear()
        self._writer.add(r.Afresh(t=self.now, text=AFRESH))
        await play(self)

    def shows_itself(self) -> bool:
        """Whether the client connected in this playing: who never did would not do so when it is started again."""
        return bool(self._whole.connections)

    def was_met(self) -> bool:
        """Whether the client came to where what was played last met it. A dialect may have its own way to tell."""
        return True

    async def meet_again(self, losses: int, rested: bool) -> bool:
        """Bring the client to where it may meet a scenario's doings after so many losses; False: it is not there.
        A dialect whose scenarios are met again has its own.
        """
        raise HarnessError(f"scenario {self._writer.header.scenario} is to be met after {losses} losses; expected 0")

    # The client.

    async def start(self) -> None:
        """Start the client under test; at most two are being started at once."""
        async with self._setup.gate.starting() as gate:
            self._starts += 1
            self._writer.add(r.SubjectStarted(t=self.now, start=self._starts))
            setup, observer = self._setup, _Observer(self._writer)
            self._subject = await start_subject(setup.spec, self._env, observer, setup.state_dir, self._loop.time)
            await self._started(gate)

    def own_clock(self) -> None:
        """Give the client a wall clock that can be stepped. To be called before it is started."""
        if self.real:
            self._clock = SteppedClock(self._setup.state_dir / "tmp")
            self._env[VARIABLE] = str(self._clock.file)

    def step_clock(self, seconds: float) -> None:
        """Step the client's wall clock, forward or (below 0) back. Who does not follow it is told in the trace."""
        if self._clock is None:
            step_wall(seconds)
            by = "virtual"
        else:
            self._clock.step(seconds)
            by = ", ".join(self._clock.followed) or "nobody"
        detail = f"{seconds:+g} s, followed by {by}"
        self._writer.add(
            r.Fault(t=self.now, requested=self.now, name=FaultName.CLOCK_STEP.value, detail=self._writer.redact(detail))
        )

    async def start_again(self) -> None:
        """End the client as at a scenario's end, and start it anew, with what it was given the first time. From here
        on `talk`, and whatever waits on it, is about the new start; the judge has it as `again` of the first one.
        """
        await self.finish()
        await self.start()

    def look_anew(self) -> None:
        """From here on `talk`, and whatever waits on it, is about connections that come from now on, as after a start;
        the client goes on. Leaves no trace.
        """
        seen, anew = self._whole.newest, self.fold()
        anew.count, anew.shape = seen.count - 1, seen.shape
        anew.feed(r.SubjectStarted(t=self.now, start=1))
        self._old, self._anew = frozenset(seen.connections), anew
        self.talk = anew

    async def _started(self, gate: StartGate) -> None:
        """Until the client has shown itself, or has held its place for long enough."""
        began, until, most = self._loop.time(), 0.0, self.limit(self.window_start)
        used = 0.0
        while not self.left and until < (patience := min(gate.patience(used), most)):
            until = patience
            shown = await self.wait("the client's first connection", self.has_shown, began + until - self._loop.time())
            used = await self._work()
            if shown:
                gate.measured(used)
                return

    def has_shown(self, talk: C) -> bool:
        """Whether anything has come of the client's, by which its start is over."""
        return bool(talk.connections)

    async def _work(self) -> float:
        """CPU seconds that the client's processes have used; none are known of one in this process."""
        process = self._subject.process if self._subject is not None else None
        return 0.0 if process is None else await asyncio.to_thread(work_of, process)

    @property
    def real(self) -> bool:
        """Whether the scenario is played in real time."""
        return self._writer.header.tier == "real"

    @property
    def full(self) -> bool:
        """Whether its volumes are those that the requirements mean: always in real time."""
        return self._writer.header.full

    async def resources(self, name: str) -> None:
        """Record what the client's process holds now; nothing where it has none, or has left."""
        process = self._subject.process if self._subject is not None else None
        if process is None or self.left:
            return
        held = await asyncio.to_thread(measure, process)
        if held is not None:
            self._writer.add(r.Resources(t=self.now, name=name, **held))

    @asynccontextmanager
    async def scoring(self, name: str) -> AsyncIterator[Output]:
        """A block in which the client's processing is timed, vouched for as the window `name`; nothing of the trace is
        seen meanwhile. Yields the client's output, which counts the reports as they are read.
        """
        assert self._subject is not None
        output = self._subject.output
        async with scoring(self._writer, output, name):
            yield output

    async def ask_stop(self) -> None:
        """Ask the client to log off, as the judged stimulus of a scenario."""
        await self._stop(judged=True)

    async def _stop(self, *, judged: bool) -> None:
        if self._subject is None:
            return
        await self._subject.ask_stop(judged)

    # The broker, and the way to it.

    def sockets(self) -> list[Any]:
        """The broker's open WebSockets."""
        return [c for c in self.broker.connections if c.is_open]

    def lose_all(self, how: Callable[[Any], object] = AnyConnection.fin) -> int:
        """End every open WebSocket, with FIN unless `how` says another way. Returns when, in microseconds."""
        since = self.now
        for socket in self.sockets():
            how(socket)
        return since

    def step(self, text: str) -> None:
        """Say what comes next, for the reader of the trace."""
        self._writer.add(r.Step(t=self.now, text=text))

    def leave_off(self, text: str, row: str = "") -> None:
        """Say that the scenario goes no further, since `text`; `row` asks for what did not come. What it has not
        brought about by then was not asked of the client.
        """
        self._writer.add(r.Left(t=self.now, text=text, row=row))

    def rule(self, name: str, conn: int, detail: str) -> None:
        """Say that what the scenario does next on this connection stands for something that a broker would do."""
        self._writer.add(r.RuleApplied(t=self.now, name=name, conn=conn, detail=self._writer.redact(detail)))

    def healed(self, name: str) -> None:
        """Say that what the scenario did to the way or to the broker is over, by the name of its end."""
        self._writer.add(r.Fault(t=self.now, requested=self.now, name=name))

    @contextmanager
    def window(self, name: str, since: int | None = None) -> Iterator[None]:
        """Vouch that meanwhile (from now, or from `since`) nothing of the scenario's own doing disturbed what `name` is
        about.
        """
        since = self.now if since is None else since
        yield
        self._writer.add(r.Window(t=self.now, name=name, since=since))

    @property
    def proxied(self) -> ProxiedPath:
        if self._setup.proxied is None:
            raise HarnessError(f"scenario {self._setup.scenario} is declared direct, but asks for the proxy")
        return self._setup.proxied

    async def proxy_down(self) -> int:
        """Take the proxy down: every connection ends with FIN, new ones are refused. Returns when that was asked."""
        requested, acknowledged = await self.proxied.disable()
        self._writer.fault(requested, acknowledged, FaultName.PROXY_DOWN.value, 0, "Toxiproxy: enabled false")
        return self._writer.micros(requested)

    async def proxy_up(self) -> None:
        requested, acknowledged = await self.proxied.enable()
        self._writer.fault(requested, acknowledged, FaultName.PROXY_UP.value, 0, "Toxiproxy: enabled true")

    async def toxic(self, kind: str, stream: Literal["upstream", "downstream"], **attributes: int) -> None:
        """Add a toxic to the path, at toxicity 1."""
        requested, acknowledged = await self.proxied.add(kind, stream, attributes)
        self._toxics.append(f"{kind}_{stream}")
        detail = f"{kind} {stream} " + " ".join(f"{k}={v}" for k, v in attributes.items())
        self._writer.fault(requested, acknowledged, f"{FaultName.TOXIC}{kind}", 0, detail)

    # The engine's side.

    @property
    def session(self) -> int | None:
        """The id of the client's session, while it has a process of its own."""
        return self._subject.process if self._subject is not None else None

    async def finish(self) -> None:
        """End the client: asked first, killed after the declared time; who cannot be asked is killed at once.

        Nothing of it is left running.
        """
        subject = self._subject
        if subject is None:
            return
        if not self.left:
            await self._stop(judged=False)
            if self._spec.stop != "none":
                await subject.wait_exit(self.limit("window_stop") if subject.alive else LAST_OUTPUT)
        await subject.kill()
        if self.talk.died() is not None:
            self._last_words = self._last_words or tuple(subject.tail)

    def tail(self) -> tuple[str, ...]:
        """The client's last lines, secrets labelled: of the first start that it ended unasked, else of the latest."""
        lines = self._last_words or (self._subject.tail if self._subject else ())
        return tuple(self._writer.shown(line, TAIL_WIDTH) for line in lines)

    def _on_record(self, record: Body) -> None:
        self._whole.feed(record)
        if isinstance(record, r.SubjectStarted | r.Afresh):
            self._anew = None
        if self._anew is None:
            self.talk = self._whole.newest
        elif getattr(record, "conn", 0) in self._old:
            self._anew.skip()
        else:
            self._anew.feed(record)
        self._changed.set()
        if self.left:
            self._gone.set()
        else:
            self._gone.clear()  # it was started again


class _Observer:
    """Writes what a client prints and how it ends."""

    def __init__(self, writer: TraceWriter) -> None:
        self._writer = writer

    def started(self, at: float) -> None:
        """Written before the start, so that nothing of the client precedes it."""

    def output(self, at: float, stream: Literal["out", "err"], line: str, cut: bool) -> None:
        self._writer.output(at, stream, line, cut=cut)

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        self._writer.report(at, event, body)

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        self._writer.broken_report(at, line, text, why)

    def dropped(self, at: float, lines: int, bytes: int) -> None:
        self._writer.add(r.OutputDropped(t=self._writer.micros(at), lines=lines, bytes=bytes))

    def stop_asked(self, at: float, how: str, judged: bool) -> None:
        self._writer.add(r.StopAsked(t=self._writer.micros(at), how=how, judged=judged))

    def ending(self, at: float, why: r.Why, processes: int) -> None:
        self._writer.add(r.EndedByUs(t=self._writer.micros(at), why=why, processes=processes))

    def exited(self, at: float, code: int, asked: bool) -> None:
        self._writer.add(r.SubjectExited(t=self._writer.micros(at), code=code, asked=asked))
