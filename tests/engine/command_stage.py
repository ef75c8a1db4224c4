"""A stage with a broker and one client that takes commands, in virtual time or in real time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import looptime
from brokercert.engine.client.environment import subject_environment
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.stage import Setup
from brokercert.judge.told import Told
from brokercert.trace import Header, TraceWriter
from brokercert.trace import records as r
from brokercert_mock import TradovateBroker
from brokercert_scenarios.tradovate_stage2.stage import Stage

LIMITS = {
    "snapshot_settle": 5.0,
    "snapshot_stable": 2.0,
    "window_stop": 15.0,
    "window_first_authorize": 30.0,
    "window_first_sync": 30.0,
    "window_recovery": 75.0,
    "request_end": 60.0,
}
HEADER = Header(
    format=1, tool="test", tier="virtual", clock="virtual", source="mock", set_id="tradovate-stage2", set_version="1",
    set_hash="", scenario="test", exercises=(), path="direct", exclusive=False, seed=1, subject="test",
    level="commands", offers=(), absent={}, readings={}, limits={},
)  # fmt: skip
OFFERS = frozenset({"wire", "stop", "report", "snapshot", "request"})


class Echo:
    """A client that connects to nothing, and answers what it is asked."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None]) -> None:
        self.output = output
        self.over = asyncio.Event()
        self.asked: list[Mapping[str, Any]] = []

    async def run(self) -> int:
        await self.over.wait()
        return 0

    async def stop(self) -> None:
        self.over.set()

    def say(self, event: str, **more: Any) -> None:
        self.output(json.dumps({"event": event, **more}))

    async def command(self, line: Mapping[str, Any]) -> None:
        self.asked.append(line)
        ident = line["id"]
        match line["command"]:
            case "snapshot":
                await asyncio.sleep(0.5)
                self.say("snapshot", id=ident, entities={"order": []})
            case "request":
                self.say("outcome", id=ident, status=200, data=line["body"], error="")
                self.say("outcome", id=ident, status=0, error="again")
            case "stop":
                self.over.set()
            case name:
                self.say("unsupported", id=ident, command=name)


class Gate(StartGate):
    LEAST = 0.05  # seconds: these clients connect to nothing, there is no first connection to wait for


Play = Callable[[Stage], Awaitable[None]]


async def played(play: Play, spec: SubjectSpec, folder: Path) -> tuple[Stage, list[r.Body]]:
    loop = asyncio.get_running_loop()
    writer = TraceWriter(None, HEADER, began=loop.time())
    broker = TradovateBroker(recorder=writer)
    await broker.start()
    told = subject_environment(broker, host="127.0.0.1", port=broker.port, scenario="test", state_dir=folder)
    env = {**told, "BROKERCERT_LEVEL": "commands"}
    stage = Stage(
        Setup(
            scenario="test", broker=broker, writer=writer, spec=spec, env=env, state_dir=folder, gate=Gate(),
            limits=LIMITS,
        )
    )  # fmt: skip
    await stage.start()
    try:
        await play(stage)
    finally:
        await stage.finish()
        await broker.close()
    return stage, writer.records


def virtually(play: Play, factory: Any = Echo, **more: Any) -> tuple[Told, list[r.Body]]:
    spec = SubjectSpec("odd", factory=factory, level="in process", offers=more.pop("offers", OFFERS), **more)
    loop = looptime.new_event_loop(start=0, resolution=1e-9)
    try:
        stage, records = loop.run_until_complete(played(play, spec, Path("unused")))
    finally:
        loop.close()
    return stage.talk.told, records
