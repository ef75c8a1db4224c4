"""What happened while the client was away, and what it makes of it: S2 §5, TP §10, §11 (12)."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.flows import away_flow, order_flow, orders_before
from brokercert_scenarios.tradovate_stage2.stage import Stage

NEEDS = ("wire", "snapshot")
AWAY = 2.0  # seconds
REPORTED = 1.0  # seconds after a flow until what was processed of it has been reported


@scenario(
    "types-after-loss",
    "Log in, lose the connection, log in again: what is subscribed to each time",
    exercises=("EVT-040",),
    lasts=9,
)
async def types_after_loss(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.last_event()
    await stage.arrived()
    since = stage.now
    for socket in stage.sockets():
        socket.fin()
    await stage.recovered(since)


async def _compare_back(stage: Stage, since: int) -> None:
    """After the way back, and again after what happens then: a belief that is not brought up to date any more."""
    if await stage.recovered(since) is None:
        return
    await stage.compare("back")
    order_flow(stage.broker)
    await stage.compare("back, after a flow")


@scenario(
    "away-direct",
    "The connection is reset in the middle of a flow, and the server refuses upgrades while orders go on",
    exercises=("REC-040",),
    needs=NEEDS,
    lasts=18,
)
async def away_direct(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.quiet(True)
    before = orders_before(stage.broker)
    await stage.arrived()
    order_flow(stage.broker)
    since = stage.now
    with stage.broker.on_upgrade().refuse(503):
        for socket in stage.sockets():
            socket.rst()
        away_flow(stage.broker, before)
        await stage.hold(AWAY, "the outage")
    await _compare_back(stage, since)


@scenario(
    "away-proxied",
    "The proxy on the way goes down, orders go on, and it comes back",
    exercises=("REC-040",),
    path="proxied",
    needs=NEEDS,
    lasts=20,
)
async def away_proxied(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.quiet(True)
    before = orders_before(stage.broker)
    await stage.arrived()
    since = await stage.proxy_down()
    away_flow(stage.broker, before)
    await stage.hold(AWAY, "the outage")
    await stage.proxy_up()
    await _compare_back(stage, since)


@scenario(
    "processed-after-losses",
    "Two losses, a FIN and a reset, and after each a flow of new orders",
    exercises=("REC-080",),
    needs=("wire", "report"),
    lasts=16,
)
async def processed_after_losses(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.quiet(True)
    for reset in (False, True):
        order_flow(stage.broker)
        await stage.arrived()
        since = stage.now
        for socket in stage.sockets():
            if reset:
                socket.rst()
            else:
                socket.fin()
        if await stage.recovered(since) is None:
            return
    order_flow(stage.broker)
    await stage.hold(REPORTED, "reports of what was processed")
