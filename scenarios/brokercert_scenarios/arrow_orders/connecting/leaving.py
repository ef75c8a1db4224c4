"""Leaving: AR Connection Setup. The client is asked to disconnect."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import ArrowStage

WAITING = 0.2  # seconds into the delay before the next attempt: the shortest is a second


@scenario(
    "disconnect-open",
    "The client is asked to disconnect while it is connected",
    exercises=("AOC-040",),
    needs=("wire", "stop"),
    lasts=18,
)
async def disconnect_open(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    await stage.ask_stop()
    await stage.hold(stage.limit("window_stop") + 1, "the client to stay away")


@scenario(
    "disconnect-between",
    "The client is asked to disconnect while it waits for its next attempt",
    exercises=("AOC-040",),
    needs=("wire", "stop"),
    lasts=25,
)
async def disconnect_between(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on_upgrade().refuse(503, "down")
    stage.lose_all()
    await stage.attempts(2, stage.limit("reconnect_max_delay"))
    await stage.hold(WAITING)
    await stage.ask_stop()
    await stage.hold(stage.limit("window_stop") + 1, "the client to stay away")
