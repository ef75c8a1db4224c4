"""How often the client tries, and whether: AR Reconnection Strategy."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import ArrowStage

SMALL_TRIES = "4"  # the declared small number of tries, in real time
TRIED = int(SMALL_TRIES) + 6.0  # seconds: so many tries with a second between two, and what should not follow them


@scenario(
    "tries-exhausted",
    "The broker does not come back, and the client is told a small number of tries",
    exercises=("AOR-020", "AOC-030"),
    needs=("wire", "config", "report"),
    lasts=13,
    settings={"told": {"RECONNECT_MAX_DELAY": "1", "RECONNECT_MAX_TRIES": SMALL_TRIES}},
)
async def tries_exhausted(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on_upgrade().refuse(503, "down")
    stage.lose_all()
    await stage.hold(TRIED, "the client to stop trying")


@scenario(
    "no-reconnect",
    "The client is told not to reconnect, and the connection is lost",
    exercises=("AOR-030",),
    needs=("wire", "config"),
    lasts=23,
    settings={"told": {"AUTO_RECONNECT": "false"}},
)
async def no_reconnect(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    stage.lose_all()
    await stage.hold(stage.limit("window_restraint") + 1, "an attempt that should not come")
