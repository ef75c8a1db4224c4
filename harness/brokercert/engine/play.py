"""Plays one scenario: its broker, its path, its client, its trace; and leaves nothing of them behind."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from brokercert.engine.dialect import Broker, Dialect
from brokercert.engine.ended import how_it_ended
from brokercert.engine.environment import subject_environment
from brokercert.engine.errors import UsageError
from brokercert.engine.faults import ProxiedPath
from brokercert.engine.folder import has_client
from brokercert.engine.gate import StartGate, Turn
from brokercert.engine.guard import GUARD, PREFIX, made_folder, remove_folder
from brokercert.engine.paths import Paths
from brokercert.engine.scenario import Scenario
from brokercert.engine.stage import AnyStage
from brokercert.engine.standstill import StallMonitor, Watched
from brokercert.engine.subject import SubjectSpec
from brokercert.engine.uncut import is_cancelled, to_the_end
from brokercert.trace import Header, Trace, TraceWriter, trace_of
from brokercert.trace import records as r
from brokercert.trace.writer import FLUSH_EVERY
from brokercert.verdict import ScenarioResult


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario's result and its trace."""

    result: ScenarioResult
    trace: Trace


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


async def play(scenario: Scenario, header: Header, props: Props, done: Callable[[Played], None]) -> None:
    """Play `scenario` to its end, to its deadline, or to the run's cancellation, and write its trace.

    `done` is called with what there is in each of these cases, so that an interrupted run can still be judged.
    A bug of a scenario, of the broker or of a rule ends it as *harness error*: told in the trace, never blamed on the
    client. Raises only `CancelledError`, and `UsageError` (the client's command cannot be started): then, where it
    never ran, without a trace and without a call of `done`. Its time begins when its client may be started.
    """
    async with props.gate.turn() as turn:
        await _play(scenario, header, props, done, turn)


async def _play(scenario: Scenario, header: Header, props: Props, done: Callable[[Played], None], turn: Turn) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    path = props.folder / "traces" / trace_name(scenario.name, header.play)
    writer = TraceWriter(path, header, began=began)
    # Virtual time makes thousands of scenarios an hour: with the run's folder in memory, this one is too.
    state_dir = made_folder() if header.tier == "real" else Path(tempfile.mkdtemp(prefix=PREFIX, dir=props.folder))
    most = scenario.most + props.limits[props.dialect.stage.window_start]  # a client may need all of it to start
    state: r.State = "completed"
    note = ""
    impossible = False  # what was asked for cannot be
    stage: AnyStage[Any, Any] | None = None
    flusher = asyncio.create_task(_keep_flushed(writer)) if header.tier == "real" else None
    broker = props.dialect.broker(scenario.settings_at(header.full), writer, props.seed, props.calendar)
    watched = Watched(writer, broker, lambda: stage.session if stage is not None else None)
    props.stalls.watch(watched)
    proxied: ProxiedPath | None = None
    try:
        await broker.start()
        if scenario.path == "proxied":
            proxied = await props.paths.open(scenario.name, broker.port, broker.addresses)
        host, port = proxied.listen if proxied else ("127.0.0.1", broker.port)
        env = {
            **subject_environment(broker, host=host, port=port, scenario=scenario.name, state_dir=state_dir),
            "BROKERCERT_LEVEL": "commands" if props.spec.level == "in process" else props.spec.level,
            **scenario.env,
        }
        if "BROKERCERT_CA" in env and header.tier == "real":
            GUARD.keep(str(Path(env["BROKERCERT_CA"]).parent))  # the broker removes it, unless we are killed
        named = sorted({urlsplit(value).hostname or "" for value in env.values() if "://" in value} - {""})
        writer.place("broker", broker.port, named)
        if proxied:
            writer.place("proxy", port, named)
        stage = props.dialect.stage(scenario, broker, writer, props.spec, env, state_dir, turn, proxied, props.limits)
        stage.remark = props.remark
        async with asyncio.timeout(most):
            await scenario.play(stage)
        if broker.script_errors:
            state, note = "harness error", f"a rule or the broker broke: {broker.script_errors[0]!r}"
    except asyncio.CancelledError:
        state, note = "interrupted", "the run was interrupted"
        raise
    except TimeoutError:
        state, note = "harness error", f"the scenario did not end within {most:g} s"
    except UsageError:
        impossible = True
        state, note = "interrupted", "the client could not be started again"
        raise
    except Exception as error:  # the boundary between a scenario and the run: recorded, and judged as ours
        where = traceback.extract_tb(error.__traceback__)[-1]
        state = "harness error"
        note = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    finally:
        await to_the_end(_clean_up(stage, broker, proxied))
        props.stalls.forget(watched)
        lag = props.stalls.worst_since(began)
        now = writer.micros(loop.time())
        writer.add(r.Finished(t=now, state=state, note=writer.redact(note), lag=round(lag * 1e6)))
        if flusher is not None:
            flusher.cancel()
        writer.close()
        remove_folder(state_dir)  # the client's own leavings: nothing of ours is in it
        trace = trace_of(writer.header, writer.records)
        if impossible and not has_client(trace):
            path.unlink()
        else:
            done(Played(_result(scenario, trace, path, stage, state, note, lag), trace))
    if is_cancelled():
        raise asyncio.CancelledError  # it came while the client was ended: the scenario had been played, and stands


def trace_name(scenario: str, play: int) -> str:
    """The file of a playing's trace."""
    return f"{scenario}.jsonl" if play == 1 else f"{scenario}.play{play}.jsonl"


async def _keep_flushed(writer: TraceWriter) -> None:
    while True:
        await asyncio.sleep(FLUSH_EVERY)
        writer.flush()


async def _clean_up(stage: AnyStage[Any, Any] | None, broker: Broker, proxied: ProxiedPath | None) -> None:
    """In this order: the client may still say good-bye to a broker that listens."""
    if stage is not None:
        await stage.finish()
    await broker.close()
    if proxied is not None:
        await proxied.destroy()


def _result(
    scenario: Scenario, trace: Trace, path: Path, stage: AnyStage[Any, Any] | None, state: str, note: str, lag: float
) -> ScenarioResult:
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        path=scenario.path,
        exclusive=scenario.exclusive,
        state=state,
        note=note,
        trace=f"traces/{path.name}",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        duration=round(trace.records[-1].t / 1e6, 3),
        lag_ms=round(lag * 1000, 2),
        exit=how_it_ended(trace.records),
        output=stage.tail() if stage else (),
        fault=scenario.cell.fault if scenario.cell else "",
        phase=scenario.cell.phase if scenario.cell else "",
        tier=trace.header.tier,
        play=trace.header.play,
    )
