"""Connection events, each of which is to be raised: AR Connection Events."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, ArrowStage


@scenario(
    "events-raised",
    "A session with updates, a close, a loss and a failing attempt: every event is raised",
    exercises=("AOC-030", "AOS-010"),
    needs=("wire", "report"),
    lasts=22,
)
async def events_raised(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    for order in stage.live()[:2]:
        stage.broker.orders.fill(order, 10)
    await stage.hold(stage.raised)
    since = stage.lose_all(lambda socket: socket.close(1001, "going away"))
    if await stage.recovered(since) is None:
        return
    await stage.hold(CALM)
    with stage.broker.on_upgrade(times=2).refuse(503, "down"):
        since = stage.lose_all()
        if await stage.recovered(since) is None:
            return
    stage.broker.orders.fill(stage.live()[0], 10)
    await stage.hold(stage.reported)
