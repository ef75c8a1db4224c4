"""Leaving: A3 Connection Events. The client is asked to disconnect."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.connecting import leaving as first
from brokercert_scenarios.arrow_orders.stage import LITTLE
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


@scenario(
    "disconnect-open",
    "The client is asked to disconnect while it is connected",
    exercises=("AOC-040",),
    needs=("wire", "stop"),
    lasts=18,
)
async def disconnect_open(stage: ArrowStage3) -> None:
    await first.disconnect_open.play(stage)


@scenario(
    "disconnect-between",
    "The client is asked to disconnect while it waits for its next attempt, and the broker comes back",
    exercises=("AOC-040",),
    needs=("wire", "stop"),
    lasts=25,
)
async def disconnect_between(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade().refuse(503, "down"):
        stage.lose_all()
        await stage.attempts(2, stage.limit("reconnect_delay_most"))
        await stage.hold(first.WAITING)
        await stage.ask_stop()
        await stage.hold(LITTLE, "the broker to be back")
    await stage.hold(stage.limit("window_stop") + 1, "the client to stay away")
