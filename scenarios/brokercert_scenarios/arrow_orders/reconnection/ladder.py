"""The ladder of delays between attempts: AR Reconnection Strategy."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.reconnection.tries import SMALL_TRIES
from brokercert_scenarios.arrow_orders.stage import CALM, LITTLE, ArrowStage


@scenario(
    "outage-ladder",
    "The broker is away for more than half a minute: the ladder is seen",
    exercises=("AOR-010", "AOR-060"),
    lasts=42,
    most=200,
)
async def outage_ladder(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=6).refuse(503, "down"):
        since = stage.lose_all()
        await stage.recovered(since)
    await stage.hold(LITTLE)


@scenario(
    "ladder-capped",
    "The client is told a longest delay of 3 s",
    exercises=("AOR-010",),
    needs=("wire", "config"),
    lasts=17,
    most=120,
    settings={"told": {"RECONNECT_MAX_DELAY": "3"}},
)
async def ladder_capped(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=4).refuse(503, "down"):
        since = stage.lose_all()
        await stage.recovered(since)
    await stage.hold(LITTLE)


@scenario(
    "ladder-again",
    "Two outages one after the other: the ladder and the count begin again",
    exercises=("AOR-040",),
    lasts=38,
    most=200,
    settings={"told": {"RECONNECT_MAX_TRIES": SMALL_TRIES}},
)
async def ladder_again(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    for _ in range(2):
        with stage.broker.on_upgrade(times=3).refuse(503, "down"):
            since = stage.lose_all()
            if await stage.recovered(since) is None:
                return
        await stage.hold(CALM)
