"""Plays one scenario: its broker, its path, its client, its trace; and leaves nothing of them behind."""

from __future__ import annotations

import asyncio
import datetime
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import structs

from brokercert.engine.client.ended import has_client, how_it_ended
from brokercert.engine.client.environment import subject_environment
from brokercert.engine.client.guard import GUARD, PREFIX, made_folder, remove_folder
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.machine.room import DESCRIPTORS_EACH
from brokercert.engine.machine.shortage import Shortage
from brokercert.engine.machine.standstill import StallMonitor, Watched
from brokercert.engine.play.broker import Broker
from brokercert.engine.play.dialect import Dialect
from brokercert.engine.play.faults import ProxiedPath
from brokercert.engine.play.gate import StartGate, Turn
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.raised import hear
from brokercert.engine.play.scenario import Scenario
from brokercert.engine.play.stage import AnyStage, Setup
from brokercert.engine.uncut import is_cancelled, to_the_end
from brokercert.trace import Header, Labels, Trace, TraceWriter, trace_of
from brokercert.trace import records as r
from brokercert.trace.clean import Clean
from brokercert.trace.file import TraceFile
from brokercert.trace.writer import FLUSH_EVERY
from brokercert.verdict import ScenarioResult

STEP = 60.0  # seconds for one step of a scenario's end: a client is given 15 to stop, and each call its own deadline


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario's result and its trace."""

    result: ScenarioResult
    trace: Trace
    kept: bool = True  # all of the trace is in its file, as far as it could be told when that was closed


@dataclass(frozen=True, slots=True)
class Props:
    """What all scenarios of a run share."""

    dialect: Dialect
    spec: SubjectSpec
    folder: Path  # the run's
    paths: Paths
    gate: StartGate
    stalls: StallMonitor
    limits: Mapping[str, float]
    seed: int
    remark: Callable[[str], None] = lambda text: None  # tells whoever waits for the run
    calendar: datetime.datetime | None = None  # what the broker's calendar says at the start; None: the real one
    shortage: Shortage | None = None  # of descriptors; None: nobody looks


async def play(scenario: Scenario, header: Header, props: Props, done: Callable[[Played], None]) -> None:
    """Play `scenario` to its end, to its deadline, or to the run's cancellation, and write its trace.

    `done` is called with what there is in each of these cases, so that an interrupted run can still be judged.
    Whatever breaks while it is played (a scenario, the broker, a rule, the way, the disk) ends it as *harness error*:
    told in the trace, never blamed on the client. What breaks after `scenario.play` returned is a note: the client's
    part was over, and its evidence stands. Raises only `CancelledError`, and `UsageError` (the client's command cannot
    be started): then, where it never ran, without a trace and without a call of `done`. A bug of its own is `Unplayed`.
    Its time begins when its client may be started.
    """
    labels = Labels()
    try:
        async with props.gate.turn() as turn:
            playing = _Playing(scenario, header, props, turn, labels)
            hear(asyncio.get_running_loop(), playing.raised)
            try:
                await playing.act()
            finally:
                await to_the_end(playing.clean_up())
                played = playing.conclude()
                if played is not None:
                    done(played)
    except UsageError:
        raise
    except Exception as error:
        raise Unplayed(labels.redact(_told(error))) from error
    if is_cancelled():
        raise asyncio.CancelledError  # it came while the client was ended: the scenario had been played, and stands


def trace_name(scenario: str, play: int) -> str:
    """The file of a playing's trace."""
    return f"{scenario}.jsonl" if play == 1 else f"{scenario}.play{play}.jsonl"


def _moment(calendar: datetime.datetime | None) -> str:
    """Now, as the broker's calendar has it: ISO-8601, in UTC, to the millisecond."""
    now = calendar or datetime.datetime.now(datetime.UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Unplayed(Exception):
    """`play` itself broke. `told` is what was raised, and where, without secrets: a client's bytes may be in it."""

    def __init__(self, told: Clean) -> None:
        super().__init__(told)
        self.told = told


def broken(scenario: Scenario, header: Header, error: Exception) -> Played:
    """A scenario of which there is nothing but that the harness broke: so that it is told, and costs no other one.

    Of an error that nobody cleaned its kind and its place are told, and no word of its text.
    """
    note = error.told if isinstance(error, Unplayed) else Labels().redact(placed(error))
    finished = r.Finished(t=0, state="harness error", note=note, lag=0)
    trace = trace_of(header, (finished,))
    return Played(_result(scenario, trace, None, None, finished.state, finished.note, 0.0), trace)


class _Playing:
    """One playing of one scenario. Only `act` raises, and what `play` says; every step of the end has its own guard."""

    def __init__(self, scenario: Scenario, header: Header, props: Props, turn: Turn, labels: Labels) -> None:
        self._scenario, self._props, self._turn = scenario, props, turn
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._errors: list[Exception] = []  # of whoever looks at the records
        path = props.folder / "traces" / trace_name(scenario.name, header.play)
        header = structs.replace(header, run={**header.run, r.BEGAN: _moment(props.calendar)})
        self._writer = TraceWriter(path, header, began=self._began, labels=labels, on_error=self._errors.append)
        self._state: r.State = "completed"
        self._notes: list[str] = []
        self._impossible = False  # what was asked for cannot be
        self._lag = 0.0
        self._state_dir: Path | None = None
        self._stage: AnyStage[Any, Any] | None = None
        self._broker: Broker | None = None
        self._proxied: ProxiedPath | None = None
        self._watched: Watched | None = None
        self._flusher = asyncio.create_task(_keep_flushed(self._writer)) if header.tier == "real" else None

    def raised(self, error: Exception) -> None:
        """A callback of the loop raised it: what it was to tell may be missing."""
        self._errors.append(error)

    async def act(self) -> None:
        """Play. Raises `CancelledError` and `UsageError`."""
        # A client may need all of the time in which it must have connected to start.
        most = self._scenario.most + self._props.limits[self._props.dialect.stage.window_start]
        try:
            stage = self._stage = await self._set_up()
            async with asyncio.timeout(most) as deadline:
                await stage.meet(self._scenario.play, self._scenario.meetings, self._scenario.rested)
            self._look_for_errors(stage)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or not task.cancelling():  # nobody cancelled us: something of ours did that we awaited
                self._ends("harness error", f"what the scenario waited for was cancelled: {_told(error)}")
                return
            self._ends("interrupted", "the run was interrupted")
            raise
        except UsageError:
            self._impossible = True
            self._ends("interrupted", "the client could not be started again")
            raise
        except TimeoutError as error:
            over = self._stage is not None and deadline.expired()
            self._ends("harness error", f"the scenario did not end within {most:g} s" if over else _told(error))
        except Exception as error:  # the boundary between a scenario and the run: recorded, and judged as ours
            self._ends("harness error", _told(error))

    async def _set_up(self) -> AnyStage[Any, Any]:
        """Broker, path and stage. What is there is kept as soon as it is, to be cleaned up whatever comes then."""
        scenario, props, writer = self._scenario, self._props, self._writer
        real = writer.header.tier == "real"
        # Virtual time makes thousands of scenarios an hour: with the run's folder in memory, this one is too.
        state_dir = made_folder() if real else Path(tempfile.mkdtemp(prefix=PREFIX, dir=props.folder))
        self._state_dir = state_dir
        settings = scenario.settings_at(writer.header.full, writer.header.readings)
        broker = self._broker = props.dialect.broker(settings, writer, props.seed, props.calendar)
        self._watched = Watched(writer, broker, lambda: self._stage.session if self._stage is not None else None)
        props.stalls.watch(self._watched)
        await broker.start()
        if scenario.path == "proxied":
            self._proxied = await props.paths.open(scenario.name, broker.port, broker.addresses)
        host, port = self._proxied.listen if self._proxied else ("127.0.0.1", broker.port)
        env = {
            **subject_environment(broker, host=host, port=port, scenario=scenario.name, state_dir=state_dir),
            "BROKERCERT_LEVEL": "commands" if props.spec.level == "in process" else props.spec.level,
            **scenario.env,
        }
        if "BROKERCERT_CA" in env and real:
            GUARD.keep(str(Path(env["BROKERCERT_CA"]).parent))  # the broker removes it, unless we are killed
        named = sorted({urlsplit(value).hostname or "" for value in env.values() if "://" in value} - {""})
        writer.place("broker", broker.port, named)
        if self._proxied:
            writer.place("proxy", port, named)
        return props.dialect.stage(
            Setup(
                scenario=scenario.name,
                broker=broker,
                writer=writer,
                spec=props.spec,
                env=env,
                state_dir=state_dir,
                gate=self._turn,
                limits=props.limits,
                proxied=self._proxied,
                remark=props.remark,
            )
        )

    def _look_for_errors(self, stage: AnyStage[Any, Any]) -> None:
        """What broke without raising here: in the broker, where its records are read, or where connections come in."""
        if stage.broker.script_errors:
            self._ends("harness error", f"a rule or the broker broke: {stage.broker.script_errors[0]!r}")
        if self._errors:
            self._ends("harness error", f"what tells of it broke: {_told(self._errors[0])}")
        ports = {stage.broker.port, *(self._proxied.listen[1:] if self._proxied else ())}
        if self._props.shortage is not None and self._props.shortage.missed(ports, self._began):
            most = _most_open(self._writer.records)
            if most > DESCRIPTORS_EACH:  # more than a scenario's share: it was this client that used them up
                self._notes.append(f"the client held {most} connections, until the harness could take no more")
            else:
                self._ends("harness error", "the harness had no file descriptor left to take a connection")

    def _ends(self, state: r.State, note: str) -> None:
        self._state = state
        self._notes.append(note)

    async def clean_up(self) -> None:
        """In this order: the client may still say good-bye to a broker that listens."""
        if self._stage is not None:
            await self._step("the client could not be ended", self._stage.finish())
        if self._broker is not None:
            await self._step("the broker could not be closed", self._broker.close())
        if self._proxied is not None:
            await self._step("the proxy could not be removed", self._proxied.destroy())
        await self._step("its end could not be recorded", self._finish())
        if self._state_dir is not None:  # the client's own leavings: nothing of ours is in it
            remove_folder(self._state_dir)

    async def _step(self, failed: str, step: Awaitable[None]) -> None:
        """One step of the end. Whatever it raises is a note, and the next one follows."""
        try:
            async with asyncio.timeout(STEP):
                await step
        except TimeoutError as error:
            self._notes.append(f"{failed} within {STEP:g} s: {_told(error)}")
        except Exception as error:
            self._notes.append(f"{failed}: {_told(error)}")

    async def _finish(self) -> None:
        """The trace's last record."""
        if self._watched is not None:
            self._props.stalls.forget(self._watched)
        self._lag = self._props.stalls.worst_since(self._began)
        note = self._writer.redact("; ".join(self._notes))
        now = self._writer.micros(self._loop.time())
        self._writer.add(r.Finished(t=now, state=self._state, note=note, lag=round(self._lag * 1e6)))

    def conclude(self) -> Played | None:
        """The result and the trace; None where there is nothing to tell, since no client could be started."""
        writer, file = self._writer, self._writer.file
        if self._flusher is not None:
            self._flusher.cancel()
        writer.close()
        trace = trace_of(writer.header, writer.records)
        assert file is not None
        if self._impossible and not has_client(trace):
            file.path.unlink(missing_ok=True)
            return None
        # What became of the file is known once it is closed: it stands in the run's record alone.
        note = "; ".join(filter(None, (*map(writer.redact, self._notes), file.note)))
        result = _result(self._scenario, trace, file, self._stage, self._state, note, self._lag)
        return Played(result, trace, kept=not file.trouble)


def _told(error: BaseException) -> str:
    """What was raised, and where. A client's bytes may be in it."""
    return f"{type(error).__name__}: {error}{_where(error)}"


def placed(error: BaseException) -> str:
    """Its kind and its place, and nothing of its text, in which a client's bytes may be."""
    return f"{type(error).__name__}{_where(error)}"


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _most_open(records: Iterable[r.Body]) -> int:
    """The most connections that were open at once."""
    now: set[int] = set()
    most = 0
    for record in records:
        if isinstance(record, r.Accepted):
            now.add(record.conn)
            most = max(most, len(now))
        elif isinstance(record, r.Ended):
            now.discard(record.conn)
    return most


async def _keep_flushed(writer: TraceWriter) -> None:
    while True:
        await asyncio.sleep(FLUSH_EVERY)
        writer.flush()


def _result(
    scenario: Scenario,
    trace: Trace,
    file: TraceFile | None,
    stage: AnyStage[Any, Any] | None,
    state: str,
    note: str,
    lag: float,
) -> ScenarioResult:
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        path=scenario.path,
        exclusive=scenario.exclusive,
        state=state,
        note=note,
        trace=f"traces/{file.path.name}" if file else "",
        sha256=file.sha256 if file else "",
        duration=round(trace.records[-1].t / 1e6, 3),
        lag_ms=round(lag * 1000, 2),
        exit=how_it_ended(trace.records),
        output=stage.tail() if stage else (),
        fault=scenario.cell.fault if scenario.cell else "",
        phase=scenario.cell.phase if scenario.cell else "",
        tier=trace.header.tier,
        play=trace.header.play,
        began=trace.header.began,
    )
