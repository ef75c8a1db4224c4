"""Starts a client once against a broker with which nothing is wrong, for 20 s at most.

The law: it is played by what plays scenarios, and read by the fold that judges read, so that it shows nothing that a
run would not see. It gives no verdict: nothing of it is kept.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, play
from brokercert.engine.play.scenario import Scenario, load_suite
from brokercert.engine.play.stage import AnyStage
from brokercert.engine.run.preflight import answered
from brokercert.engine.run.request import RunRequest, begin, limits_of
from brokercert.judge import Judging
from brokercert.requirements import RequirementSet
from brokercert.trace import Trace

WATCHED = 15.0  # seconds from its start in which all is looked for
SPEAKS = 6.0  # seconds in which the broker speaks as it always does: two heartbeats of a client are in it
HUSHED = 4.2  # seconds in which it says nothing by itself. With the 2.5 s before, less than the 7.5 s of a watchdog
LEAVES = 4.0  # seconds in which a client is awaited that was asked to leave
KILLED = 0.5  # seconds that it has then before it is killed


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of it. `address` is where the client was to connect."""

    trace: Trace
    judging: Judging
    address: str
    output: tuple[str, ...]  # its last lines, secrets labelled
    exit: str


async def look(spec: SubjectSpec, rows: RequirementSet, *, virtual: bool = False) -> Seen:
    """Start it once. `virtual`: for a class in this process, in a loop of virtual time.

    Raises `UsageError` where its command cannot be started.
    """
    dialect = load_suite(rows.id).dialect
    addresses: list[str] = []

    async def act(stage: AnyStage[Any, Any]) -> None:
        addresses.append(stage.address)
        await _act(stage)

    scenario = Scenario("check", "One start, to be looked at", (), act)
    run = begin(RunRequest(rows.id, spec, tier="virtual" if virtual else "real"))
    played: list[Played] = []
    with TemporaryDirectory(prefix="brokercert-") as folder:
        (Path(folder) / "traces").mkdir()
        async with StallMonitor(lambda length: None) as stalls, Paths(run.run_id, virtual=virtual) as paths:
            props = Props(
                dialect=dialect,
                spec=spec,
                folder=Path(folder),
                paths=paths,
                gate=StartGate(),
                stalls=stalls,
                limits={**limits_of(rows), "window_stop": KILLED},
                seed=run.request.seed,
            )
            await play(scenario, run.header(scenario), props, played.append)
    (one,) = played
    return Seen(one.trace, dialect.judging, addresses[0] if addresses else "", one.result.output, one.result.exit)


async def _act(stage: AnyStage[Any, Any]) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + WATCHED
    await stage.start()
    came = await stage.wait("an upgrade request and its answer", answered, until - loop.time())
    if came is not None:
        await stage.hold(min(SPEAKS, until - loop.time()), "the client to settle")
        if until - loop.time() >= HUSHED and not stage.left:
            await stage.hush(HUSHED)
    if not stage.left:
        await stage.ask_stop()
        await stage.wait("the client to leave", lambda talk: talk.exited, LEAVES)
