"""What happened while the client was away, and what it makes of it: S2 §5, TP §10, §11 (12)."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario
from brokercert_mock import Connection

from brokercert_scenarios.tradovate_stage2.flows import Before, away_flow, night_flow, order_flow, orders_before
from brokercert_scenarios.tradovate_stage2.stage import Stage

NEEDS = ("wire", "snapshot")
AWAY = 2.0  # seconds
REPORTED = 1.0  # seconds after a flow until what was processed of it has been reported


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
    lasts=13,
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
        stage.lose_all(Connection.rst)
        away_flow(stage.broker, before)
        await stage.hold(AWAY, "the outage")
    await _compare_back(stage, since)


async def _known_early(stage: Stage) -> Before | None:
    """Orders of which the client is told between its sync request and the answer: what it keeps of these events
    is of that socket alone.
    """
    stage.broker.quiet(True)
    hold = stage.broker.on("user/syncrequest").hold_answer()
    await stage.start()
    await hold.wait_held(stage.limit("window_first_authorize") + stage.limit("window_first_sync"))
    await stage.arrived()
    before = orders_before(stage.broker)
    await stage.arrived()
    hold.release()
    return None if await stage.synced() is None else before


@scenario(
    "away-proxied",
    "Events come before the sync answer. The proxy goes down; orders go on, a night ends them all, and it comes back",
    exercises=("REC-040",),
    path="proxied",
    needs=NEEDS,
    lasts=13,
)
async def away_proxied(stage: Stage) -> None:
    before = await _known_early(stage)
    if before is None:
        return
    since = await stage.proxy_down()
    away_flow(stage.broker, before)
    night_flow(stage.broker)
    await stage.hold(AWAY, "the outage")
    await stage.proxy_up()
    await _compare_back(stage, since)


async def _nothing_to_nothing(stage: Stage) -> None:
    """A start without an order, fill or position; then a day, and a night that the client is away for."""
    if await stage.log_in() is None:
        return
    stage.broker.quiet(True)
    orders_before(stage.broker)
    order_flow(stage.broker)
    await stage.compare("after a day")
    since = stage.now
    with stage.broker.on_upgrade().refuse(503):
        stage.lose_all(Connection.fin)
        night_flow(stage.broker)
        await stage.hold(AWAY, "the outage")
    await _compare_back(stage, since)


@scenario(
    "empty-lists-there",
    "A day that begins without orders and ends without any: the snapshots have empty lists",
    exercises=("REC-040",),
    needs=NEEDS,
    lasts=16,
    settings={"snapshot_orders": 0},
)
async def empty_lists_there(stage: Stage) -> None:
    await _nothing_to_nothing(stage)


@scenario(
    "empty-lists-left-out",
    "A day that begins without orders and ends without any: the snapshots have no lists of what is not there",
    exercises=("REC-040",),
    needs=NEEDS,
    lasts=16,
    settings={"snapshot_orders": 0, "empty_lists": "left out"},
)
async def empty_lists_left_out(stage: Stage) -> None:
    await _nothing_to_nothing(stage)


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
    for how in (Connection.fin, Connection.rst):
        order_flow(stage.broker)
        await stage.arrived()
        since = stage.lose_all(how)
        if await stage.recovered(since) is None:
            return
    order_flow(stage.broker)
    await stage.hold(REPORTED, "reports of what was processed")
