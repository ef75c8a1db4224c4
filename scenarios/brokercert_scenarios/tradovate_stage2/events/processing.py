"""How long a client takes over a message while many come: S2 Performance. Alone on the machine, on a direct path."""

from __future__ import annotations

import asyncio

from brokercert.engine.client.output import Output
from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.events.processing import BURST

from brokercert_scenarios.tradovate_stage2.stage import Stage

PATIENCE = 30.0  # seconds after the last message in which reports are awaited
GIVES_UP = 10.0  # seconds without a new report after which no more is awaited
LOOK = 0.05  # seconds between two looks at what was reported


@scenario(
    "burst-processed",
    "Ten thousand events at a thousand a second, each of which the client reports",
    exercises=("EVT-150",),
    exclusive=True,
    needs=("wire", "report"),
    lasts=18,
)
async def burst_processed(stage: Stage) -> None:
    synced = await stage.log_in()
    if synced is None:
        return
    if not stage.full:
        stage.step("in virtual time code takes no time: nothing to measure")
        return
    stage.broker.quiet(True)
    burst = stage.broker.burst(stage.broker.history[synced.id], round(stage.limit("burst_messages")))
    if not await burst.prepare():
        stage.step("the client subscribed to nothing of which a burst could be made")
        return
    await stage.arrived()
    if not stage.real:  # at full volume: nothing to measure, but each message is to be taken
        await burst.send(stage.limit("burst_rate"))
        await burst.tell()
        await stage.hold(GIVES_UP, "reports of the burst")
        return
    async with stage.scoring(BURST) as output:
        before = output.reported
        await burst.send(stage.limit("burst_rate"))
        await _reported(output, before + round(stage.limit("burst_messages")))
        await burst.tell()


async def _reported(output: Output, count: int) -> None:
    """Until so many reports were read, or no more come."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    read, since = output.reported, loop.time()
    while output.reported < count and loop.time() < min(until, since + GIVES_UP):
        await asyncio.sleep(LOOK)
        if output.reported > read:
            read, since = output.reported, loop.time()
