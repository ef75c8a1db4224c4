"""How often the client tries, and whether: A3 Reconnection Strategy."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.reconnection import tries as first
from brokercert_scenarios.arrow_orders_2026.reconnection.ladder import SMALL_TRIES
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3

TRIED = int(SMALL_TRIES) + 7.0  # seconds: so many tries with a second between two, and what should not follow them


@scenario(
    "tries-exhausted",
    "The broker does not come back, and the client is told a small number of tries",
    exercises=("AOR-020", "AOC-330"),
    needs=("wire", "config", "report"),
    lasts=16,
    settings={"told": {"RECONNECT_MAX_DELAY": "1", "RECONNECT_MAX_TRIES": SMALL_TRIES}},
)
async def tries_exhausted(stage: ArrowStage3) -> None:
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
async def no_reconnect(stage: ArrowStage3) -> None:
    await first.no_reconnect.play(stage)


@scenario(
    "no-reconnect-silent",
    "The client is told not to reconnect, and the server falls silent",
    exercises=("AOR-030",),
    needs=("wire", "config"),
    lasts=36,
    most=140,
    settings={"told": {"AUTO_RECONNECT": "false"}},
)
async def no_reconnect_silent(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    stage.lose_all(lambda socket: socket.go_silent("application"))
    await stage.wait(
        "the end of the silent connection",
        lambda talk: all(c.loss is not None for c in talk.upgraded) or None,
        stage.noticed,
    )
    await stage.hold(stage.limit("window_restraint") + 1, "an attempt that should not come")
