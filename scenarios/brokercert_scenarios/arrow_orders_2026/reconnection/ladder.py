"""How the client waits between attempts: A3 Reconnection Strategy."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, LITTLE
from brokercert_scenarios.arrow_orders_2026.heartbeats.keeping import HEALTHY
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


@scenario(
    "outage",
    "The broker is away for more than a minute, and refuses each attempt",
    exercises=("AOR-310", "AOR-312", "AOR-315"),
    lasts=82,
    most=260,
)
async def outage(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade().refuse(503, "down"):
        since = stage.lose_all()
        await stage.hold(stage.limit("window_outage"), "attempts")
    await stage.recovered(since)
    await stage.hold(LITTLE)


@scenario(
    "outage-cut",
    "The broker is away for more than a minute, and ends each attempt without an answer",
    exercises=("AOR-310",),
    lasts=82,
    most=260,
)
async def outage_cut(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade().close_at_once():
        since = stage.lose_all()
        await stage.hold(stage.limit("window_outage"), "attempts")
    await stage.recovered(since)
    await stage.hold(LITTLE)


@scenario(
    "ladder-capped",
    "The client is told a longest delay of 3 s",
    exercises=("AOR-310", "AOR-312"),
    needs=("wire", "config"),
    lasts=24,
    most=120,
    settings={"told": {"RECONNECT_MAX_DELAY": "3"}},
)
async def ladder_capped(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=7).refuse(503, "down"):
        since = stage.lose_all()
        await stage.recovered(since)
    await stage.hold(LITTLE)


SMALL_TRIES = "6"  # the declared small number of tries, in real time
REFUSED = 4  # attempts of an outage: fewer than the tries, and more than half of them


@scenario(
    "ladder-again",
    "Two outages with a connection of 15 s between: the ladder and the count begin again",
    exercises=("AOR-040",),
    lasts=54,
    most=240,
    settings={"told": {"RECONNECT_MAX_TRIES": SMALL_TRIES}},
)
async def ladder_again(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    for _ in range(2):
        await stage.hold(HEALTHY, "the connection to have lasted")
        with stage.broker.on_upgrade(times=REFUSED).refuse(503, "down"):
            since = stage.lose_all()
            if await stage.recovered(since) is None:
                return
    await stage.hold(CALM)


STORM = 70.0  # seconds: a minute of connections, and those before it


@scenario(
    "flapping",
    "The broker accepts each connection and ends it at once, for more than a minute",
    exercises=("AOR-345",),
    lasts=86,
    most=260,
)
async def flapping(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    most = 2 * (stage.limit("storm_after") + stage.limit("storm_attempts"))  # a storm is one by then
    with stage.broker.on_upgrade().upgrade_then_close():
        since = stage.lose_all()
        await stage.wait(
            "a storm",
            lambda talk: len(talk.upgraded) > most or None,
            max(STORM, stage.limit("window_outage")),
        )
    await stage.recovered(since)
    await stage.hold(LITTLE)
